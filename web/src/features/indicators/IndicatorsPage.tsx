// What sources of threat intelligence warn of, as it is now.
import { getRouteApi } from '@tanstack/react-router';
import clsx from 'clsx';
import { Crosshair, Plus, Upload } from 'lucide-react';
import { useRef, useState } from 'react';
import { useConnection } from '../../api/useConnection';
import { usePulse } from '../../live/pulse';
import { IndicatorExportDocument } from '../../nouns/export/Export.generated';
import { ExportMenu } from '../../nouns/export/ExportMenu';
import { useTyping } from '../../nouns/query/useTyping';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { Time } from '../../nouns/time/Time';
import { useViewer } from '../../nouns/user/useViewer';
import { Button } from '../../ui/Button';
import { legible } from '../../ui/legible';
import { RecordGrid } from '../../ui/RecordGrid';
import { SearchBox } from '../../ui/SearchBox';
import { Select } from '../../ui/Select';
import { EmptyState, NoMatch, StaleBanner } from '../../ui/States';
import { useActiveRow } from '../../ui/useActiveRow';
import { useChange } from '../../ui/useChange';
import type { Column } from '../../ui/VirtualGrid';
import { apiFilter, apiOrder, type IndicatorSearch, kinds, labelOf, states } from './filters';
import { ImportDialog } from './ImportDialog';
import { IndicatorPanel } from './IndicatorPanel';
import { IndicatorListDocument, type IndicatorListQuery } from './Indicators.generated';
import { NewIndicator } from './NewIndicator';

type Indicator = IndicatorListQuery['indicators']['nodes'][number];

const route = getRouteApi('/shell/indicators');
const refreshPeriod = 5_000;
const wide = '@max-[60rem]:hidden';
const phone = '@max-[30rem]:hidden';
const columns: readonly Column[] = [
  { id: 'severity', title: 'Severity' },
  { id: 'value', title: 'Value' },
  { id: 'kind', title: 'Kind', className: phone },
  { id: 'source', title: 'Source' },
  { id: 'confidence', title: 'Confidence', className: wide },
  { id: 'state', title: 'State', className: phone },
  { id: 'sightings', title: 'Sightings', className: wide },
  { id: 'updated', title: 'Changed', className: wide },
];
const template = clsx(
  'grid-cols-[7rem_minmax(12rem,3fr)_5rem_minmax(6rem,1fr)_6rem_7rem_6rem_8rem]',
  '@max-[60rem]:grid-cols-[7rem_minmax(8rem,3fr)_5rem_minmax(5rem,1fr)_7rem]',
  '@max-[30rem]:grid-cols-[6.5rem_minmax(6rem,1fr)_5rem]',
);

export function IndicatorsPage() {
  const search: IndicatorSearch = route.useSearch();
  const navigate = route.useNavigate();
  const { mayWork } = useViewer();
  const [open, setOpen] = useState<'new' | 'import' | null>(null);
  const searchRef = useRef<HTMLInputElement>(null);
  const send = useChange();
  const variables = { filter: apiFilter(search), orderBy: apiOrder(search) };
  const list = useConnection({ query: IndicatorListDocument, variables, of: ({ indicators }) => indicators });
  usePulse(list.refresh, refreshPeriod);
  const change = (next: Partial<IndicatorSearch>, replace = false) =>
    void navigate({ search: { ...search, ...next }, replace });
  const typing = useTyping();
  const setQuery = (q: string | undefined) => change({ q }, typing(search, { ...search, q }));
  const { active, activate } = useActiveRow(
    search.indicator,
    (id, replace) => change({ indicator: id }, replace),
    searchRef,
  );
  const narrowed = Boolean(search.q || search.kind || search.state || search.source);
  return (
    <>
      <h1 className="sr-only">Indicators</h1>
      <div className="flex flex-wrap items-center gap-2 border-b border-line bg-canvas px-3 py-2">
        <Select
          label="Kind"
          value={search.kind ?? ''}
          onChange={(value) => change({ kind: value || undefined })}
          options={[['', 'Any kind'], ...kinds.map(([kind, title]) => [kind.toLowerCase(), title] as const)]}
        />
        <Select
          label="State"
          value={search.state ?? ''}
          onChange={(value) => change({ state: value || undefined })}
          options={[['', 'Any state'], ...states.map(([state, title]) => [state.toLowerCase(), title] as const)]}
        />
        <Select
          label="Order"
          value={search.order ?? ''}
          onChange={(value) => change({ order: value === 'severity' ? 'severity' : undefined })}
          options={[
            ['', 'Latest change first'],
            ['severity', 'Worst first'],
          ]}
        />
        <SearchBox
          label="Search indicators"
          value={search.q ?? ''}
          onChange={(q) => setQuery(q || undefined)}
          inputRef={searchRef}
        />
        {search.source && (
          <Button onClick={() => change({ source: undefined })}>Source {legible(search.source)} ×</Button>
        )}
        <div className="ml-auto flex gap-2">
          <ExportMenu
            hasStix
            onExport={(format) => send(IndicatorExportDocument, { input: { filter: variables.filter, format } })}
          />
          {mayWork && (
            <>
              <Button icon={Upload} onClick={() => setOpen('import')}>
                Import
              </Button>
              <Button look="primary" icon={Plus} onClick={() => setOpen('new')}>
                New indicator
              </Button>
            </>
          )}
        </div>
      </div>
      {list.error != null && list.items && <StaleBanner error={list.error} what="The list" onRetry={list.retry} />}
      <div className="relative flex min-h-0 grow">
        <div className="flex min-w-0 grow flex-col">
          <RecordGrid
            label="Indicators"
            list={list}
            empty={
              narrowed ? (
                <NoMatch
                  title="No indicator matches"
                  all="Show all indicators"
                  onAll={() => void navigate({ search: {} })}
                />
              ) : (
                <EmptyState icon={Crosshair} title="No indicators yet">
                  Import a list of addresses, names or hashes to be warned of, as CSV or STIX 2.1: events that have one
                  of them raise an alert.
                </EmptyState>
              )
            }
            columns={columns}
            template={template}
            row={(indicator) => <IndicatorRow indicator={indicator} />}
            activeId={active}
            onActivate={activate}
            onOpen={(id) => change({ indicator: id })}
          />
        </div>
        {search.indicator && (
          <IndicatorPanel
            key={search.indicator}
            id={search.indicator}
            onChanged={list.refresh}
            onDismiss={() => change({ indicator: undefined })}
          />
        )}
      </div>
      {open === 'import' && <ImportDialog onClose={() => setOpen(null)} onImported={list.refresh} />}
      {open === 'new' && (
        <NewIndicator
          onClose={() => setOpen(null)}
          onMade={(id) => {
            setOpen(null);
            list.refresh();
            change({ indicator: id });
          }}
        />
      )}
    </>
  );
}

function IndicatorRow({ indicator }: { indicator: Indicator }) {
  const value = indicator.includeSubdomains ? `*.${indicator.value}` : indicator.value;
  const faint = indicator.state === 'ACTIVE' ? undefined : 'text-muted';
  return (
    <>
      <div role="gridcell">
        <SeverityBadge severity={indicator.severity} />
      </div>
      <div role="gridcell" className={clsx('truncate font-mono text-xs font-medium', faint)} title={legible(value)}>
        {legible(value)}
      </div>
      <div role="gridcell" className={clsx('text-xs', phone)}>
        {labelOf(kinds, indicator.kind)}
      </div>
      <div role="gridcell" className="truncate text-muted">
        {legible(indicator.source)}
      </div>
      <div role="gridcell" className={clsx('text-xs tabular-nums', wide)}>
        {indicator.confidence}
      </div>
      <div role="gridcell" className={clsx('truncate text-xs', faint, phone)}>
        {labelOf(states, indicator.state)}
      </div>
      <div role="gridcell" className={clsx('text-xs tabular-nums', wide)}>
        {indicator.sightings.count > 0 ? indicator.sightings.count.toLocaleString('en') : '–'}
      </div>
      <div role="gridcell" className={clsx('truncate text-muted', wide)}>
        <Time at={indicator.updatedAt} />
      </div>
    </>
  );
}
