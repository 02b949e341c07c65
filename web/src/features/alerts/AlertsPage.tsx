// The live queue: what came in, worst and latest in view, and one of them open
// beside it.
import { useApolloClient } from '@apollo/client/react';
import { getRouteApi } from '@tanstack/react-router';
import { BellOff, ChartColumn, Inbox, PanelLeft } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { describe } from '../../api/errors';
import type { AlertField, AlertStatus, Severity } from '../../gql/schema';
import { usePaused } from '../../live/pause';
import { AlertExportDocument } from '../../nouns/export/Export.generated';
import { ExportMenu } from '../../nouns/export/ExportMenu';
import { JobOfAddress } from '../../nouns/job/JobOfAddress';
import { withCondition } from '../../nouns/query/condition';
import { useTyping } from '../../nouns/query/useTyping';
import { ViewsMenu } from '../../nouns/saved/ViewsMenu';
import { severities } from '../../nouns/severity/severity';
import { SuppressAlertDialog } from '../../nouns/suppression/SuppressionDialog';
import { spanOf } from '../../nouns/time/range';
import { useViewer } from '../../nouns/user/useViewer';
import { IconButton } from '../../ui/Button';
import { ColumnsMenu } from '../../ui/ColumnsMenu';
import { useKeys } from '../../ui/keys';
import { LonePill, NewReadOut, withPill } from '../../ui/NewPill';
import { notify } from '../../ui/notices';
import { EmptyState, ErrorState, NoMatch, SkeletonRows, StaleBanner } from '../../ui/States';
import { sentence, useChange } from '../../ui/useChange';
import { useSelection } from '../../ui/useSelection';
import { VirtualGrid } from '../../ui/VirtualGrid';
import { AlertActionsFragmentDoc } from './AlertActions.generated';
import { type AlertDialog, AlertDialogs } from './AlertDialogs';
import { AlertFacets } from './AlertFacets';
import { AlertHistogram } from './AlertHistogram';
import { AlertPanel } from './AlertPanel';
import { AlertRow } from './AlertRow';
import { AlertValues } from './AlertValues';
import { BulkBar } from './BulkBar';
import { choosable, columnOf, layoutOf, sortOfColumn } from './columns';
import { EscalateDialog } from './EscalateDialog';
import { type AlertFilters, type AlertSearch, apiFilter, filtersOf, formatSearch, queryLineOf } from './filters';
import { MergeSelected } from './MergeDialog';
import { orderOf, sortOf } from './order';
import type { Row } from './rowData';
import { type Decided, useAlertActions } from './useAlertActions';
import { useAlertQueue } from './useAlertQueue';

const route = getRouteApi('/shell/alerts');

/** Where the pill finds room. */
const wide = ['title', 'process', 'flow', 'host', 'incident'];

export function AlertsPage() {
  const search: AlertSearch = route.useSearch();
  const navigate = route.useNavigate();
  const client = useApolloClient();
  const { mayWork } = useViewer();
  const paused = usePaused();
  const actions = useAlertActions();
  const send = useChange();
  const [active, setActive] = useState<string | null>(search.alert ?? null);
  const [atTop, setAtTop] = useState(true);
  const [pointed, setPointed] = useState(false);
  const [dialog, setDialog] = useState<AlertDialog | null>(null);
  const [escalating, setEscalating] = useState<Escalated | null>(null);
  const [merging, setMerging] = useState<readonly Row[] | null>(null);
  const [suppressing, setSuppressing] = useState<string | null>(null);
  const [suppressed, setSuppressed] = useState(0);
  const layout = useMemo(() => layoutOf(search.cols, mayWork), [search.cols, mayWork]);
  const searchRef = useRef<HTMLInputElement>(null);
  const scrollRef = useRef<HTMLDivElement>(null);

  const open = search.alert ?? null;
  const filters = useMemo(() => filtersOf(search), [search]);
  const filter = useMemo(() => apiFilter(filters), [filters]);
  const [reading, setReading] = useState(0);
  const [selecting, setSelecting] = useState(false);
  const [held, setHeld] = useState<readonly string[]>([]);
  const calm = atTop && !pointed && !open && !active && !dialog && !paused && !selecting;
  const queue = useAlertQueue({
    filter,
    order: orderOf(search.sort),
    risk: layout.shown.has('risk'),
    paused,
    calm,
    held,
    within: filters.range.since ? spanOf(filters.range.since) : null,
  });
  const selection = useSelection(queue.ids, filter);
  useEffect(() => {
    setSelecting(selection.ids.size > 0);
    setHeld([...new Set([open, active].flatMap((id) => id ?? [])), ...(selection.matching ? [] : selection.ids)]);
  }, [open, active, selection.ids, selection.matching]);

  useEffect(() => {
    if (open) setActive(open);
  }, [open]);

  const setJob = (job: string | undefined) => go({ ...search, job }, true);
  const go = (next: AlertSearch, replace = false) => void navigate({ search: next, replace });
  const typing = useTyping();
  // Each change is a step that going back undoes.
  const setFilters = (next: AlertFilters, typed = false) => {
    const { alert, tab, sort, cols, chart, values, job } = search;
    const after = formatSearch(next, { alert, tab, sort, cols, chart, values, job });
    go(after, typed && typing(search, after));
  };
  const openAlert = (id: string, byKey = false) => {
    // Whoever opens it by key reads on there; passing by with j and k stays in the list.
    setReading((was) => (byKey ? was + 1 : 0));
    if (id !== open) go({ ...search, alert: id }, open !== null);
  };
  const dismiss = () => {
    // What no longer matches goes now, and the next row takes over.
    if (active && queue.gone.has(active)) setActive(nextOf(queue.ids, active, queue.gone));
    if (queue.gone.size > 0) queue.dropGone();
    setReading(0);
    scrollRef.current?.focus({ preventScroll: true });
    go({ ...search, alert: undefined, tab: undefined });
  };
  const activate = (id: string) => {
    setActive(id);
    if (open) openAlert(id);
  };
  const target = open ?? active;
  /** The alerts of `ids` as they are known; a notice says so where there are none. */
  const known = async (ids: readonly string[]) => {
    try {
      const found = await queue.read(ids);
      if (found.length === 0) notify('info', 'The alert is no longer there.');
      return found;
    } catch (error) {
      notify('error', `Nothing was changed: the alert could not be read. ${sentence(describe(error).message)}`);
      return [];
    }
  };
  // What was decided on: the version that is seen in the row or the panel.
  const decided = async (): Promise<Target | undefined> => {
    if (!target) return undefined;
    const at = client.cache.readFragment({
      fragment: AlertActionsFragmentDoc,
      fragmentName: 'AlertActions',
      id: `Alert:${target}`,
    });
    return at ?? (await known([target]))[0];
  };
  const acknowledge = async () => {
    const alert = await decided();
    if (alert?.status === 'NEW') void actions.acknowledge(alert);
    else if (alert) notify('info', 'Only a new alert can be acknowledged.');
  };
  const close = async () => {
    const alert = await decided();
    if (alert && alert.status !== 'CLOSED') setDialog({ kind: 'close', alert });
    else if (alert) notify('info', 'The alert is closed already.');
  };
  const showNew = () => {
    queue.showNew();
    scrollRef.current?.scrollTo({ top: 0 });
  };
  const start = async () => {
    const alert = await decided();
    if (alert && alert.status !== 'CLOSED') void actions.start(alert);
    else if (alert) notify('info', 'The alert is closed already.');
  };
  const escalateAll = async (ids: readonly string[], selected = false) => {
    const found = await known(ids);
    const first = found[0];
    if (!first) return;
    const severity = severities.find((s) => found.some((alert) => alert.severity === s)) ?? first.severity;
    setEscalating({ ids: found.map((alert) => alert.id), title: first.title, severity, selected });
  };
  const escalate = () => {
    // All that match may be thousands: an incident is opened of those that somebody chose.
    if (selection.matching) notify('info', 'Select single alerts to escalate them.');
    else if (selection.ids.size > 0) void escalateAll([...selection.ids], true);
    else if (target) void escalateAll([target]);
  };
  const merge = async () => {
    const found = [...(await known([...selection.ids]))];
    // The worst stays unless somebody says otherwise, of those the one that was there first.
    const rank = (alert: Row) => severities.indexOf(alert.severity);
    found.sort((a, b) => rank(a) - rank(b) || Date.parse(a.firstSeen) - Date.parse(b.firstSeen));
    if (found.length > 1) setMerging(found);
    else if (found.length === 1) notify('info', 'Only one of them is still there.');
  };
  const columns = useMemo(() => {
    const some = selection.ids.size > 0;
    const head = (
      <input
        type="checkbox"
        aria-label={some ? 'Clear the selection' : 'Select all that are loaded'}
        checked={some}
        ref={(box) => {
          if (box) box.indeterminate = some && selection.ids.size < queue.ids.length;
        }}
        onChange={() => (some ? selection.clear() : selection.all())}
        className="block accent-accent"
      />
    );
    return layout.columns.map((column) => (column.id === 'select' ? { ...column, head } : column));
  }, [layout, selection, queue.ids.length]);
  useKeys({
    x: mayWork && active ? () => selection.toggle(active, false) : undefined,
    X: mayWork ? () => (selection.ids.size > 0 ? selection.clear() : selection.all()) : undefined,
    s: mayWork && target ? () => setSuppressing(target) : undefined,
    w: mayWork && target ? () => void start() : undefined,
    e: mayWork && (target || selection.ids.size > 0) ? escalate : undefined,
    a: mayWork && target ? () => void acknowledge() : undefined,
    c: mayWork && target ? () => void close() : undefined,
    n: queue.arrived.size > 0 ? showNew : undefined,
    '/': () => searchRef.current?.focus(),
    Escape: open ? dismiss : active ? () => setActive(null) : undefined,
  });

  const news = {
    count: calm ? 0 : queue.arrived.size,
    more: queue.overflowed,
    waiting: paused ? queue.waiting : 0,
    waitingMore: queue.waitingOverflowed,
  };

  return (
    <>
      <h1 className="sr-only">Alerts</h1>
      <AlertFacets
        filters={filters}
        onChange={setFilters}
        searchRef={searchRef}
        className={open ? 'max-sm:hidden' : undefined}
      >
        <div className="flex gap-2">
          <ViewsMenu
            noun="ALERTS"
            query={queryLineOf(filters)}
            orderBy={search.sort ? orderOf(search.sort) : null}
            cols={search.cols}
            onOpen={({ q, cols, orderBy }) => go({ status: 'all', job: search.job, q, sort: sortOf(orderBy), cols })}
          />
          <ColumnsMenu columns={choosable} cols={search.cols} onChange={(cols) => go({ ...search, cols })} />
          <ExportMenu onExport={(format) => send(AlertExportDocument, { input: { filter, format } })} />
          <IconButton
            icon={PanelLeft}
            label={search.values ? 'Hide the commonest values' : 'Show the commonest values'}
            aria-pressed={search.values !== undefined}
            onClick={() => go({ ...search, values: search.values ? undefined : 'host' })}
            className="max-lg:hidden"
          />
          <IconButton
            icon={ChartColumn}
            label={search.chart === 'off' ? 'Show the chart' : 'Hide the chart'}
            aria-pressed={search.chart !== 'off'}
            onClick={() => go({ ...search, chart: search.chart === 'off' ? undefined : 'off' })}
          />
        </div>
      </AlertFacets>
      {search.chart !== 'off' && (
        <AlertHistogram filters={filters} onRange={(range) => setFilters({ ...filters, range })} />
      )}
      {search.job && (
        <JobOfAddress
          key={search.job}
          id={search.job}
          onUndo={(undoing) => setJob(undoing.id)}
          onDismiss={() => setJob(undefined)}
        />
      )}
      {mayWork && selection.ids.size > 0 && (
        <BulkBar
          ids={selection.ids}
          all={selection.matching}
          filter={filter}
          total={queue.total}
          totalIsEstimate={queue.totalIsEstimate}
          onAll={selection.allMatching}
          onEscalate={escalate}
          onMerge={() => void merge()}
          onJob={(job) => setJob(job.id)}
          onClear={selection.clear}
        />
      )}
      {queue.error != null && queue.ids.length > 0 && (
        <StaleBanner error={queue.error} what="The list" onRetry={queue.retry} />
      )}
      <div className="relative flex min-h-0 grow">
        {search.values && (
          <AlertValues
            filter={filter}
            field={search.values.toUpperCase() as AlertField}
            onField={(field) => go({ ...search, values: field.toLowerCase() })}
            onValue={(name, value, not) =>
              setFilters({ ...filters, query: withCondition(filters.query, name, value, not) })
            }
          />
        )}
        <div
          className="relative flex min-w-0 grow flex-col"
          onPointerEnter={() => setPointed(true)}
          onPointerLeave={() => setPointed(false)}
        >
          <NewReadOut {...news} />
          {queue.error && queue.ids.length === 0 ? (
            <ErrorState title="The alerts cannot be loaded" error={queue.error} onRetry={queue.retry} />
          ) : queue.loading && queue.ids.length === 0 ? (
            <SkeletonRows />
          ) : queue.ids.length === 0 ? (
            <>
              <LonePill {...news} onShow={showNew} />
              <NoAlerts
                narrowed={Boolean(search.status || search.severity || search.q || search.since || search.from)}
                onReset={() => go({ alert: search.alert, job: search.job })}
              />
            </>
          ) : (
            <VirtualGrid
              label="Alerts"
              columns={withPill(columns, wide, { ...news, onShow: showNew })}
              sortedBy={columnOf(search.sort)}
              onSort={(column) => go({ ...search, sort: sortOfColumn(column) })}
              template={layout.template}
              widths={layout.widths}
              selected={selection.ids}
              ids={queue.ids}
              total={queue.totalIsEstimate ? -1 : Math.max(queue.total, queue.ids.length)}
              activeId={active}
              onActivate={activate}
              onOpen={openAlert}
              onEnd={queue.loadMore}
              onShown={queue.show}
              narrowRowHeight={layout.chosen ? undefined : 44}
              onTop={setAtTop}
              scrollRef={scrollRef}
              rowClass={(id) => (queue.fresh.has(id) ? 'animate-arrived' : undefined)}
              renderRow={(id) => (
                <AlertRow
                  id={id}
                  gone={queue.gone.has(id)}
                  layout={layout}
                  selected={selection.ids.has(id)}
                  onSelect={selection.toggle}
                />
              )}
            />
          )}
        </div>
        {open && (
          <AlertPanel
            key={open}
            id={open}
            tab={search.tab ?? 'overview'}
            actions={actions}
            focus={reading}
            onTab={(tab) => go({ ...search, tab: tab === 'overview' ? undefined : tab })}
            onDismiss={dismiss}
            onOpen={(id) => go({ ...search, alert: id, tab: undefined })}
            onClose={(alert) => setDialog({ kind: 'close', alert })}
            onReopen={(alert) => setDialog({ kind: 'reopen', alert })}
            onEscalate={(id) => void escalateAll([id])}
            onSuppress={setSuppressing}
            suppressed={suppressed}
          />
        )}
      </div>
      {escalating && (
        <EscalateDialog
          ids={escalating.ids}
          title={escalating.title}
          severity={escalating.severity}
          onDone={() => {
            if (escalating.selected) selection.clear();
          }}
          onClose={() => setEscalating(null)}
        />
      )}
      {merging && (
        <MergeSelected alerts={merging} actions={actions} onDone={selection.clear} onClose={() => setMerging(null)} />
      )}
      {suppressing && (
        <SuppressAlertDialog
          id={suppressing}
          onCancel={() => setSuppressing(null)}
          onDone={() => {
            setSuppressing(null);
            setSuppressed((was) => was + 1);
          }}
        />
      )}
      <AlertDialogs dialog={dialog} actions={actions} onDone={() => setDialog(null)} />
    </>
  );
}

/** What an incident is to be opened of. */
interface Escalated {
  ids: readonly string[];
  title: string;
  severity: Severity;
  /** Whether they are the selected ones. */
  selected: boolean;
}

/** An alert that something is to be done with. */
type Target = Decided & { status: AlertStatus };

/** The row after one that goes, else the one before it. */
function nextOf(ids: readonly string[], id: string, gone: ReadonlySet<string>): string | null {
  const at = ids.indexOf(id);
  const stays = (candidate: string) => !gone.has(candidate);
  return ids.slice(at + 1).find(stays) ?? ids.slice(0, at).findLast(stays) ?? null;
}

function NoAlerts({ narrowed, onReset }: { narrowed: boolean; onReset(): void }) {
  if (narrowed) {
    return <NoMatch icon={BellOff} title="No alert matches" all="Show all open alerts" onAll={onReset} />;
  }
  return (
    <EmptyState icon={Inbox} title="No open alerts">
      <p>New ones appear here by themselves.</p>
    </EmptyState>
  );
}
