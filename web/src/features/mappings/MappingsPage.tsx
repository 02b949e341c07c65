// What no format knows, with what was guessed of it, and the mappings that say how to read it.
import { useQuery } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import clsx from 'clsx';
import { CircleCheck, CircleOff, Plus, Waypoints } from 'lucide-react';
import type { ReactNode } from 'react';
import { useConnection } from '../../api/useConnection';
import { SourceSections } from '../../nouns/source/SourceSections';
import { Time } from '../../nouns/time/Time';
import { useViewer } from '../../nouns/user/useViewer';
import { Button, buttonLook } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { legible } from '../../ui/legible';
import { Mark } from '../../ui/Mark';
import { EmptyState, ErrorState, Skeleton, StaleBanner } from '../../ui/States';
import { Switch } from '../../ui/Switch';
import { Table } from '../../ui/Table';
import { useChange } from '../../ui/useChange';
import { useEvery } from '../../ui/useEvery';
import {
  type MappingFactsFragment,
  MappingListDocument,
  MappingUpdateDocument,
  UnknownShapesDocument,
  type UnknownShapesQuery,
} from './Mappings.generated';

/** The latest events are looked through for it: seldom enough. */
const shapesPeriod = 15_000;
const mappingsPeriod = 5_000;
const link = 'text-accent underline underline-offset-2';

export function MappingsPage() {
  const { mayWork, mayAdminister } = useViewer();
  return (
    <>
      <h1 className="sr-only">Mappings</h1>
      <SourceSections />
      <div className="flex flex-wrap items-center gap-2 border-b border-line bg-canvas px-3 py-2">
        <p className="text-muted">How records of products are read that no format knows.</p>
        {mayAdminister && (
          <Link to="/sources/mappings/new" className={clsx('ml-auto', buttonLook('primary'))}>
            <Plus size={14} aria-hidden />
            New mapping
          </Link>
        )}
      </div>
      <section
        aria-label="Mappings and what has none"
        tabIndex={0}
        className="min-h-0 grow overflow-y-auto p-4 focus-visible:outline-offset-[-2px] max-sm:p-2"
      >
        <div className="mx-auto max-w-[90rem] space-y-6">
          {mayWork && (
            <Card title="Records that no format knows, of the latest 500 such events">
              <Unknown mayMap={mayAdminister} />
            </Card>
          )}
          <Card title="Mappings">
            <Mappings mayChange={mayAdminister} />
          </Card>
        </div>
      </section>
    </>
  );
}

type Shape = UnknownShapesQuery['unknownShapes'][number];

function Unknown({ mayMap }: { mayMap: boolean }) {
  const { data, error, refetch } = useQuery(UnknownShapesDocument, {
    fetchPolicy: 'no-cache',
    pollInterval: shapesPeriod,
  });
  if (!data) {
    if (!error) return <Skeleton className="h-24" />;
    return (
      <ErrorState
        title="The unknown records cannot be loaded"
        error={error}
        onRetry={() => void refetch().catch(() => undefined)}
      />
    );
  }
  if (data.unknownShapes.length === 0) {
    return <p className="text-muted">None: every record that came in has a format or a mapping.</p>;
  }
  return (
    <Table
      bare
      label="List of unknown records"
      wide={0}
      columns={['Names in them', 'Events', 'Latest', 'Guessed without a mapping', '']}
      rows={data.unknownShapes.map((shape) => ({
        key: shape.names.join('\n'),
        cells: [
          <Names key="n" names={shape.names} />,
          shape.events.toLocaleString('en'),
          <Time key="t" at={shape.lastSeen} className="whitespace-nowrap" />,
          <Guess key="g" shape={shape} />,
          <MapIt key="m" shape={shape} mayMap={mayMap} />,
        ],
      }))}
    />
  );
}

/** More names than these tell nothing more. */
const namesShown = 12;

function Names({ names }: { names: readonly string[] }) {
  return (
    <span className="font-mono text-xs break-all" title={legible(names.join(', '))}>
      {legible(names.slice(0, namesShown).join(', '))}
      {names.length > namesShown && <span className="text-muted"> and {names.length - namesShown} more</span>}
    </span>
  );
}

/** How much of an event was found without a mapping, and what. */
function Guess({ shape: { confidence, guess } }: { shape: Shape }) {
  return (
    <span className="flex min-w-44 items-center gap-2">
      <span className="w-9 shrink-0 text-right font-medium">{confidence} %</span>
      <meter
        aria-label="Confidence of the guess"
        min={0}
        max={100}
        value={confidence}
        className="h-2 w-14 shrink-0 appearance-none rounded-full bg-line [&::-moz-meter-bar]:rounded-full [&::-moz-meter-bar]:bg-accent [&::-webkit-meter-bar]:h-2 [&::-webkit-meter-bar]:rounded-full [&::-webkit-meter-bar]:border-0 [&::-webkit-meter-bar]:bg-line [&::-webkit-meter-bar]:bg-none [&::-webkit-meter-inner-element]:h-2 [&::-webkit-meter-optimum-value]:rounded-full [&::-webkit-meter-optimum-value]:bg-accent [&::-webkit-meter-optimum-value]:bg-none"
      />
      <span className="text-xs text-muted">{legible(guess)}</span>
    </span>
  );
}

function MapIt({ shape, mayMap }: { shape: Shape; mayMap: boolean }) {
  const [sample] = shape.samples;
  if (!sample) return null;
  return (
    <span className="flex justify-end gap-3 whitespace-nowrap">
      <Link to="/events" search={{ q: 'format:generic', event: sample.id }} className={link}>
        See one
      </Link>
      <Link to="/sources/mappings/new" search={{ event: sample.id }} className={link}>
        {mayMap ? 'Make a mapping' : 'Try a mapping'}
      </Link>
    </span>
  );
}

function Mappings({ mayChange }: { mayChange: boolean }) {
  const list = useConnection({ query: MappingListDocument, variables: {}, of: ({ mappings }) => mappings });
  useEvery(mappingsPeriod, list.refresh);
  if (!list.items) {
    if (!list.error) return <Skeleton className="h-24" />;
    return <ErrorState title="The mappings cannot be loaded" error={list.error} onRetry={list.retry} />;
  }
  if (list.items.length === 0) {
    return (
      <EmptyState icon={Waypoints} title="No mappings yet">
        A mapping says where the values of an event stand in a product’s records, so that rules find them. It also opens
        a webhook of its name, for products that can do nothing but post JSON. Send a record first, or paste one into a
        new mapping.
      </EmptyState>
    );
  }
  return (
    <div className="space-y-2">
      {list.error != null && <StaleBanner error={list.error} what="The list" onRetry={list.retry} />}
      <Table
        bare
        label="List of mappings"
        wide={2}
        columns={['Name', 'In force', 'For records', 'Log source', 'Values', 'Webhook', 'Changed']}
        rows={list.items.map((mapping) => ({
          key: mapping.id,
          cells: [
            <Link key="n" to="/sources/mappings/$id" params={{ id: mapping.id }} className={`font-medium ${link}`}>
              {legible(mapping.name)}
            </Link>,
            mayChange ? (
              <Toggle key="e" mapping={mapping} onChanged={list.refresh} />
            ) : (
              <InForce key="e" on={mapping.enabled} />
            ),
            <Recognised key="r" mapping={mapping} />,
            legible([mapping.product, mapping.category, mapping.service].filter(Boolean).join(' / ') || 'as found'),
            String(mapping.fields.length + mapping.renames.length),
            <span key="w" className="whitespace-nowrap">
              {mapping.signed ? 'signed' : 'by token'}
            </span>,
            <Time key="t" at={mapping.updatedAt} className="whitespace-nowrap" />,
          ],
        }))}
      />
      {list.hasMore && <Button onClick={list.more}>More</Button>}
    </div>
  );
}

function InForce({ on }: { on: boolean }) {
  return (
    <Mark
      look={
        on
          ? { label: 'In force', icon: CircleCheck, className: 'text-good' }
          : { label: 'Off', icon: CircleOff, className: 'text-muted' }
      }
    />
  );
}

function Toggle({ mapping, onChanged }: { mapping: MappingFactsFragment; onChanged(): void }) {
  const change = useChange();
  return (
    <Switch
      label={`${mapping.name} in force`}
      on={mapping.enabled}
      onToggle={async (enabled) => {
        await change(MappingUpdateDocument, {
          input: { id: mapping.id, expectedVersion: mapping.version, enabled },
        });
        onChanged();
      }}
    />
  );
}

function Recognised({ mapping: { tests } }: { mapping: MappingFactsFragment }): ReactNode {
  if (tests.length === 0) return <span className="text-muted">of its webhook alone</span>;
  return (
    <span className="font-mono text-xs break-all">
      {legible(tests.map(({ path, equals }) => (equals == null ? path : `${path} = ${equals}`)).join(', '))}
    </span>
  );
}
