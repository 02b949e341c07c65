// The live queue: what came in, worst and latest in view, and one of them open
// beside it.
import { useApolloClient } from '@apollo/client/react';
import { getRouteApi } from '@tanstack/react-router';
import { ArrowUp, BellOff, Inbox } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { usePaused } from '../../live/pause';
import { useViewer } from '../../nouns/user/useViewer';
import { Command } from '../../ui/Command';
import { useKeys } from '../../ui/keys';
import { notify } from '../../ui/notices';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/States';
import { VirtualGrid } from '../../ui/VirtualGrid';
import { AlertActionsFragmentDoc } from './AlertActions.generated';
import { type AlertDialog, AlertDialogs } from './AlertDialogs';
import { AlertFacets } from './AlertFacets';
import { AlertPanel } from './AlertPanel';
import { AlertRow, columns, template } from './AlertRow';
import { type AlertFilters, type AlertSearch, apiFilter, filtersOf, formatSearch } from './filters';
import { useAlertActions } from './useAlertActions';
import { useAlertQueue } from './useAlertQueue';

const route = getRouteApi('/shell/alerts');

export function AlertsPage() {
  const search: AlertSearch = route.useSearch();
  const navigate = route.useNavigate();
  const client = useApolloClient();
  const { mayWork } = useViewer();
  const paused = usePaused();
  const actions = useAlertActions();
  const [active, setActive] = useState<string | null>(search.alert ?? null);
  const [atTop, setAtTop] = useState(true);
  const [pointed, setPointed] = useState(false);
  const [dialog, setDialog] = useState<AlertDialog | null>(null);
  const searchRef = useRef<HTMLInputElement>(null);
  const scrollRef = useRef<HTMLDivElement>(null);

  const open = search.alert ?? null;
  const filters = useMemo(() => filtersOf(search), [search]);
  const calm = atTop && !pointed && !open && !active && !dialog && !paused;
  const queue = useAlertQueue({ filter: apiFilter(filters), paused, calm, openId: open });

  useEffect(() => {
    if (open) setActive(open);
  }, [open]);

  const go = (next: AlertSearch, replace = false) => void navigate({ search: next, replace });
  const setFilters = (next: AlertFilters) => go(formatSearch(next, { alert: search.alert, tab: search.tab }), true);
  const openAlert = (id: string) => go({ ...search, alert: id }, open !== null);
  const dismiss = () => {
    // What no longer matches goes now, and the next row takes over.
    if (active && queue.gone.has(active)) setActive(nextOf(queue.ids, active, queue.gone));
    if (queue.gone.size > 0) queue.showNew();
    go({ ...search, alert: undefined, tab: undefined });
  };
  const activate = (id: string) => {
    setActive(id);
    if (open) openAlert(id);
  };
  const target = open ?? active;
  const decided = () =>
    target
      ? client.cache.readFragment({
          fragment: AlertActionsFragmentDoc,
          fragmentName: 'AlertActions',
          id: `Alert:${target}`,
        })
      : null;
  const acknowledge = () => {
    const alert = decided();
    if (alert?.status === 'NEW') void actions.acknowledge(alert);
    else if (alert) notify('info', 'Only a new alert can be acknowledged.');
  };
  const close = () => {
    const alert = decided();
    if (alert && alert.status !== 'CLOSED') setDialog({ kind: 'close', alert });
    else if (alert) notify('info', 'The alert is closed already.');
  };
  const showNew = () => {
    queue.showNew();
    scrollRef.current?.scrollTo({ top: 0 });
  };
  useKeys({
    a: mayWork && target ? acknowledge : undefined,
    c: mayWork && target ? close : undefined,
    n: queue.arrived.size > 0 ? showNew : undefined,
    '/': () => searchRef.current?.focus(),
    Escape: open ? dismiss : active ? () => setActive(null) : undefined,
  });

  return (
    <>
      <h1 className="sr-only">Alerts</h1>
      <AlertFacets filters={filters} onChange={setFilters} searchRef={searchRef} />
      <div className="relative flex min-h-0 grow">
        <div
          className="relative flex min-w-0 grow flex-col"
          onPointerEnter={() => setPointed(true)}
          onPointerLeave={() => setPointed(false)}
        >
          <NewPill count={queue.arrived.size} waiting={paused ? queue.waiting : 0} onShow={showNew} />
          {queue.error && queue.ids.length === 0 ? (
            <ErrorState title="The alerts cannot be loaded" error={queue.error} onRetry={queue.reload} />
          ) : queue.loading && queue.ids.length === 0 ? (
            <SkeletonRows />
          ) : queue.ids.length === 0 ? (
            <NoAlerts
              narrowed={Boolean(search.status || search.severity || search.q)}
              onReset={() => go({ alert: search.alert })}
            />
          ) : (
            <VirtualGrid
              label="Alerts"
              columns={columns}
              template={template}
              ids={queue.ids}
              total={queue.totalIsEstimate ? -1 : Math.max(queue.total, queue.ids.length)}
              activeId={active}
              onActivate={activate}
              onOpen={openAlert}
              onEnd={queue.loadMore}
              onTop={setAtTop}
              scrollRef={scrollRef}
              rowClass={(id) => (queue.fresh.has(id) ? 'animate-arrived' : undefined)}
              renderRow={(id) => <AlertRow id={id} gone={queue.gone.has(id)} />}
            />
          )}
        </div>
        {open && (
          <AlertPanel
            key={open}
            id={open}
            tab={search.tab ?? 'overview'}
            actions={actions}
            onTab={(tab) => go({ ...search, tab: tab === 'overview' ? undefined : tab }, true)}
            onDismiss={dismiss}
            onClose={(alert) => setDialog({ kind: 'close', alert })}
            onReopen={(alert) => setDialog({ kind: 'reopen', alert })}
          />
        )}
      </div>
      <AlertDialogs dialog={dialog} actions={actions} onDone={() => setDialog(null)} />
    </>
  );
}

/** The row after one that goes, else the one before it. */
function nextOf(ids: readonly string[], id: string, gone: ReadonlySet<string>): string | null {
  const at = ids.indexOf(id);
  const stays = (candidate: string) => !gone.has(candidate);
  return ids.slice(at + 1).find(stays) ?? ids.slice(0, at).findLast(stays) ?? null;
}

/** How many wait above, announced politely; it takes no room, so that nothing moves. */
function NewPill({ count, waiting, onShow }: { count: number; waiting: number; onShow(): void }) {
  return (
    <div role="status" className="pointer-events-none absolute inset-x-0 top-0.5 z-20 flex justify-center">
      {waiting > 0 ? (
        <span className="rounded-full border border-line-strong bg-surface px-3 py-0.5 text-xs font-medium shadow-pop">
          {waiting.toLocaleString('en')} changed while paused
        </span>
      ) : (
        count > 0 && (
          <button
            type="button"
            onClick={onShow}
            className="pointer-events-auto inline-flex items-center gap-1.5 rounded-full bg-accent px-3 py-0.5 text-xs font-semibold text-accent-ink shadow-pop"
          >
            <ArrowUp size={13} aria-hidden />
            {count.toLocaleString('en')} new
          </button>
        )
      )}
    </div>
  );
}

function NoAlerts({ narrowed, onReset }: { narrowed: boolean; onReset(): void }) {
  if (narrowed) {
    return (
      <EmptyState icon={BellOff} title="No alert matches">
        <p>
          <button type="button" className="text-accent underline underline-offset-2" onClick={onReset}>
            Show all open alerts
          </button>
        </p>
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={Inbox} title="No open alerts">
      <p>
        New ones appear here by themselves. Nothing sent yet? Make a token, and send a first event that fires a rule:
      </p>
      <Command text="secmon token create --name first --scope ingest" />
      <Command
        text={`curl ${location.origin}/api/ingest -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/x-ndjson" \\
  -d '{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"ws-01","User":"CORP\\\\ana","Image":"C:\\\\Windows\\\\System32\\\\WindowsPowerShell\\\\v1.0\\\\powershell.exe","CommandLine":"powershell.exe -NoP -W Hidden -EncodedCommand SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAKQA="}'`}
      />
    </EmptyState>
  );
}
