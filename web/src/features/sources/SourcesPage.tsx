// Who sends, and how they are: the latest heard of first.
import { getRouteApi, Link } from '@tanstack/react-router';
import clsx from 'clsx';
import { Antenna } from 'lucide-react';
import { useRef } from 'react';
import { useConnection } from '../../api/useConnection';
import { SourceSections } from '../../nouns/source/SourceSections';
import { formatDuration, secondsOf } from '../../nouns/time/duration';
import { Time } from '../../nouns/time/Time';
import { Chip } from '../../ui/Chip';
import { legible } from '../../ui/legible';
import { RecordGrid } from '../../ui/RecordGrid';
import { Select } from '../../ui/Select';
import { EmptyState, NoMatch, StaleBanner } from '../../ui/States';
import { useActiveRow } from '../../ui/useActiveRow';
import { useEvery } from '../../ui/useEvery';
import type { Column } from '../../ui/VirtualGrid';
import { lagText, rateText, shareText } from './figures';
import { apiFilter, protocolLabel, protocols, type SourceSearch } from './filters';
import { SourceBadge } from './SourceBadge';
import { SourcePanel } from './SourcePanel';
import { type SourceFactsFragment, SourceListDocument } from './Sources.generated';

const route = getRouteApi('/shell/sources');
/** Counts of all replicas are written every 3 seconds. */
const refreshPeriod = 3_000;
const wide = '@max-[60rem]:hidden';
const phone = '@max-[34rem]:hidden';
const columns: readonly Column[] = [
  { id: 'state', title: 'State' },
  { id: 'token', title: 'Token' },
  { id: 'protocol', title: 'Sent by', className: wide },
  { id: 'format', title: 'Format' },
  { id: 'seen', title: 'Last seen' },
  { id: 'rate', title: 'Rate', tip: 'Accepted records in the last five minutes', className: phone },
  { id: 'errors', title: 'Refused', tip: 'Share of all records of the last hour', className: phone },
  { id: 'lag', title: 'Lag', tip: 'From what the latest records tell to their receipt, on average', className: wide },
  { id: 'patience', title: 'May be silent', className: wide },
];
const template = clsx(
  'grid-cols-[6rem_minmax(8rem,2fr)_8rem_minmax(7rem,1fr)_8rem_6rem_6rem_5rem_8rem]',
  '@max-[60rem]:grid-cols-[6rem_minmax(7rem,2fr)_minmax(6rem,1fr)_8rem_6rem_5rem]',
  '@max-[34rem]:grid-cols-[5.5rem_minmax(5rem,1fr)_minmax(5rem,1fr)_5rem]',
);

export function SourcesPage() {
  const search: SourceSearch = route.useSearch();
  const navigate = route.useNavigate();
  const noSearch = useRef<HTMLInputElement>(null); // a short list: there is nothing to search in
  const filter = apiFilter(search);
  const list = useConnection({ query: SourceListDocument, variables: { filter }, of: ({ sources }) => sources });
  useEvery(refreshPeriod, list.refresh);
  const change = (next: Partial<SourceSearch>, replace = false) =>
    void navigate({ search: { ...search, ...next }, replace });
  const { active, activate } = useActiveRow(search.source, (id, replace) => change({ source: id }, replace), noSearch);
  const formats = new Set(list.items?.map(({ format }) => format));
  if (search.format) formats.add(search.format);
  const narrowed = Object.keys(filter).length > 0;
  return (
    <>
      <h1 className="sr-only">Sources</h1>
      <SourceSections />
      <div className="flex flex-wrap items-center gap-2 border-b border-line bg-canvas px-3 py-2">
        <Chip on={search.silent === 'yes'} onToggle={() => change({ silent: search.silent ? undefined : 'yes' })}>
          Silent
        </Chip>
        <Select
          label="Sent by"
          value={search.protocol ?? ''}
          onChange={(value) => change({ protocol: value || undefined })}
          options={[['', 'Any protocol'], ...protocols]}
        />
        <Select
          label="Format"
          value={search.format ?? ''}
          onChange={(value) => change({ format: value || undefined })}
          options={[['', 'Any format'], ...[...formats].sort().map((format) => [format, format] as const)]}
        />
      </div>
      {list.error != null && list.items && <StaleBanner error={list.error} what="The list" onRetry={list.retry} />}
      <div className="relative flex min-h-0 grow">
        <div className="flex min-w-0 grow flex-col">
          <RecordGrid
            label="Sources"
            list={list}
            empty={
              narrowed ? (
                <NoMatch title="No source matches" all="Show all sources" onAll={() => void navigate({ search: {} })} />
              ) : (
                <NothingSent />
              )
            }
            columns={columns}
            template={template}
            row={(source) => <Row source={source} />}
            activeId={active}
            onActivate={activate}
            onOpen={(id) => change({ source: id })}
          />
        </div>
        {search.source && (
          <SourcePanel
            key={search.source}
            id={search.source}
            onChanged={list.refresh}
            onDismiss={() => change({ source: undefined })}
          />
        )}
      </div>
    </>
  );
}

function NothingSent() {
  return (
    <EmptyState icon={Antenna} title="Nothing has been sent yet">
      <p>A source is found when it sends its first record: a token, by what it sends, and what its records are.</p>
      <p>
        <Link to="/integrations" className="text-accent underline underline-offset-2">
          Make a token
        </Link>
        , then{' '}
        <Link to="/integrations" search={{ section: 'shippers' }} className="text-accent underline underline-offset-2">
          connect a shipper or send a first event by curl
        </Link>
        .
      </p>
    </EmptyState>
  );
}

function Row({ source }: { source: SourceFactsFragment }) {
  return (
    <>
      <div role="gridcell" className="flex items-center">
        <SourceBadge state={source.state} />
      </div>
      <div role="gridcell" className="truncate font-medium" title={legible(source.name)}>
        {legible(source.token) || <span className="text-muted">no token</span>}
      </div>
      <div role="gridcell" className={clsx('truncate text-muted', wide)}>
        {legible(protocolLabel(source.protocol))}
      </div>
      <div role="gridcell" className="truncate" title={legible(source.format)}>
        {legible(source.format)}
      </div>
      <div role="gridcell" className="truncate text-muted">
        <Time at={source.lastSeen} />
      </div>
      <div role="gridcell" className={clsx('truncate text-xs tabular-nums', phone)}>
        {rateText(source.rate)}
      </div>
      <div
        role="gridcell"
        className={clsx('truncate text-xs tabular-nums', source.state === 'FAILING' && 'text-warn', phone)}
      >
        {shareText(source.errorRate)}
      </div>
      <div role="gridcell" className={clsx('truncate text-xs tabular-nums', wide)}>
        {lagText(source.lagSeconds)}
      </div>
      <div role="gridcell" className={clsx('truncate text-xs text-muted', wide)}>
        {patienceText(source)}
      </div>
    </>
  );
}

function patienceText({ expectEvery, patience }: SourceFactsFragment): string {
  if (expectEvery && secondsOf(expectEvery) === 0) return 'for ever';
  return patience ? formatDuration(patience) : 'not known yet';
}
