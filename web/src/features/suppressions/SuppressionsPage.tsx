// Which findings raise no alert: why, who said so, until when, and what they hide.
import { getRouteApi } from '@tanstack/react-router';
import clsx from 'clsx';
import { EyeOff, Plus } from 'lucide-react';
import { useRef, useState } from 'react';
import { useConnection } from '../../api/useConnection';
import { actorText } from '../../nouns/journal/words';
import { useTyping } from '../../nouns/query/useTyping';
import { StateBadge, stateLook } from '../../nouns/suppression/StateBadge';
import { SuppressionDialog } from '../../nouns/suppression/SuppressionDialog';
import { Time } from '../../nouns/time/Time';
import { useViewer } from '../../nouns/user/useViewer';
import { Button } from '../../ui/Button';
import { legible } from '../../ui/legible';
import { RecordGrid } from '../../ui/RecordGrid';
import { SearchBox } from '../../ui/SearchBox';
import { Select } from '../../ui/Select';
import { EmptyState, NoMatch, StaleBanner } from '../../ui/States';
import { useActiveRow } from '../../ui/useActiveRow';
import { useEvery } from '../../ui/useEvery';
import type { Column } from '../../ui/VirtualGrid';
import { apiFilter, apiOrder, type SuppressionSearch, states } from './filters';
import { SuppressionPanel } from './SuppressionPanel';
import { SuppressionListDocument, type SuppressionListQuery } from './Suppressions.generated';

type Suppression = SuppressionListQuery['suppressions']['nodes'][number];

const route = getRouteApi('/shell/suppressions');
const refreshPeriod = 5_000;
const wide = '@max-[56rem]:hidden';
const phone = '@max-[30rem]:hidden';
const columns: readonly Column[] = [
  { id: 'state', title: 'State' },
  { id: 'name', title: 'Name' },
  { id: 'reason', title: 'Why', className: wide },
  { id: 'who', title: 'Who', className: wide },
  { id: 'until', title: 'Until', className: phone },
  { id: 'hits', title: 'Hidden' },
];
const template = clsx(
  'grid-cols-[6rem_minmax(12rem,2fr)_minmax(10rem,2fr)_9rem_8rem_8rem]',
  '@max-[56rem]:grid-cols-[6rem_minmax(8rem,2fr)_7rem_7rem]',
  '@max-[30rem]:grid-cols-[6rem_minmax(6rem,1fr)_5rem]',
);

export function SuppressionsPage() {
  const search: SuppressionSearch = route.useSearch();
  const navigate = route.useNavigate();
  const { mayWork } = useViewer();
  const [creating, setCreating] = useState(false);
  const searchRef = useRef<HTMLInputElement>(null);
  const variables = { filter: apiFilter(search), orderBy: apiOrder(search) };
  const list = useConnection({ query: SuppressionListDocument, variables, of: ({ suppressions }) => suppressions });
  useEvery(refreshPeriod, list.refresh);
  const change = (next: Partial<SuppressionSearch>, replace = false) =>
    void navigate({ search: { ...search, ...next }, replace });
  const typing = useTyping();
  const { active, activate } = useActiveRow(
    search.suppression,
    (id, replace) => change({ suppression: id }, replace),
    searchRef,
  );
  return (
    <>
      <h1 className="sr-only">Suppressions</h1>
      <div className="flex flex-wrap items-center gap-2 border-b border-line bg-canvas px-3 py-2">
        <Select
          label="State"
          value={search.state ?? ''}
          onChange={(value) => change({ state: value || undefined })}
          options={[['', 'Any state'], ...states.map((s) => [s.toLowerCase(), stateLook[s].label] as const)]}
        />
        <Select
          label="Order"
          value={search.order ?? ''}
          onChange={(value) => change({ order: value === 'hits' ? 'hits' : undefined })}
          options={[
            ['', 'Newest first'],
            ['hits', 'What hides most first'],
          ]}
        />
        <SearchBox
          label="Search names and reasons"
          value={search.q ?? ''}
          onChange={(q) => change({ q: q || undefined }, typing(search, { ...search, q: q || undefined }))}
          inputRef={searchRef}
        />
        {mayWork && (
          <Button look="primary" icon={Plus} onClick={() => setCreating(true)}>
            New suppression
          </Button>
        )}
      </div>
      {list.error != null && list.items && <StaleBanner error={list.error} what="The list" onRetry={list.retry} />}
      <div className="relative flex min-h-0 grow">
        <div className="flex min-w-0 grow flex-col">
          <RecordGrid
            label="Suppressions"
            list={list}
            empty={
              search.q || search.state ? (
                <NoMatch
                  title="No suppression matches"
                  all="Show all suppressions"
                  onAll={() => void navigate({ search: {} })}
                />
              ) : (
                <EmptyState icon={EyeOff} title="Every finding raises an alert">
                  <p>
                    A suppression keeps findings that are known and harmless from raising alerts: for a rule, a host, a
                    user, or whatever a query line can say. It says why, may end by itself, and counts what it hides;
                    the events are stored all the same.
                  </p>
                  <p>Make one here, or press s on an alert.</p>
                </EmptyState>
              )
            }
            columns={columns}
            template={template}
            row={(suppression) => <SuppressionRow suppression={suppression} />}
            activeId={active}
            onActivate={activate}
            onOpen={(id) => change({ suppression: id })}
          />
        </div>
        {search.suppression && (
          <SuppressionPanel
            key={search.suppression}
            id={search.suppression}
            onChanged={list.refresh}
            onDismiss={() => change({ suppression: undefined })}
          />
        )}
      </div>
      {creating && (
        <SuppressionDialog
          onCancel={() => setCreating(false)}
          onDone={() => {
            setCreating(false);
            list.refresh();
          }}
        />
      )}
    </>
  );
}

function SuppressionRow({ suppression }: { suppression: Suppression }) {
  return (
    <>
      <div role="gridcell" className="flex items-center">
        <StateBadge state={suppression.state} />
      </div>
      <div role="gridcell" className="truncate font-medium" title={legible(suppression.name)}>
        {legible(suppression.name)}
      </div>
      <div role="gridcell" className={clsx('truncate text-muted', wide)} title={legible(suppression.reason)}>
        {legible(suppression.reason)}
      </div>
      <div role="gridcell" className={clsx('truncate text-muted', wide)}>
        {actorText(suppression.createdBy)}
      </div>
      <div role="gridcell" className={clsx('truncate text-muted', phone)}>
        {suppression.until ? <Time at={suppression.until} /> : 'no end'}
      </div>
      <div role="gridcell" className="truncate tabular-nums">
        {suppression.hits.toLocaleString('en')}
        {suppression.lastHit && (
          <span className="ml-2 text-xs text-muted">
            <Time at={suppression.lastHit} />
          </span>
        )}
      </div>
    </>
  );
}
