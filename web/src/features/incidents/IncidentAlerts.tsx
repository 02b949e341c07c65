import { useApolloClient } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import { Split, Unlink } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { usePages } from '../../api/usePages';
import { usePulse } from '../../live/pulse';
import { StatusBadge } from '../../nouns/alert/StatusBadge';
import { useExplainedChange } from '../../nouns/journal/useExplainedChange';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { Time } from '../../nouns/time/Time';
import { Button, IconButton } from '../../ui/Button';
import { legible } from '../../ui/legible';
import { ErrorState, Skeleton, StaleBanner } from '../../ui/States';
import { IncidentRemoveAlertsDocument } from './Changes.generated';
import { IncidentAlertsDocument } from './Incident.generated';
import type { IncidentDetail } from './IncidentPage';
import { SplitIncident } from './SplitIncident';

const pageSize = 50;
const refreshPeriod = 2_000;
/** Of one change, as the server bounds it. */
const mostAlerts = 500;

interface IncidentAlertsProps {
  incident: IncidentDetail;
  round: number;
  mayWork: boolean;
}

export function IncidentAlerts({ incident, round, mayWork }: IncidentAlertsProps) {
  const change = useExplainedChange();
  const client = useApolloClient();
  const { items, hasMore, loading, error, more, refresh, retry } = usePages({
    key: incident.id,
    read: async (first, after) => {
      const { data } = await client.query({
        query: IncidentAlertsDocument,
        variables: { id: incident.id, first, after },
        fetchPolicy: 'no-cache',
      });
      const alerts = data?.incident?.alerts;
      return { items: alerts?.nodes ?? [], next: alerts?.pageInfo.hasNextPage ? alerts.pageInfo.endCursor : null };
    },
    idOf: (alert) => alert.id,
    size: pageSize,
  });
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  const [splitting, setSplitting] = useState(false);
  // One that has left the incident is not selected any more.
  const selected = useMemo(() => items?.filter(({ id }) => marked.has(id)) ?? [], [items, marked]);
  const remove = async (alerts: readonly string[]) => {
    const input = { id: incident.id, expectedVersion: incident.version, alerts: [...alerts] };
    if (await change(IncidentRemoveAlertsDocument, { input })) setMarked(new Set());
  };
  const mark = (id: string) => {
    const next = new Set(marked);
    if (!next.delete(id)) next.add(id);
    setMarked(next);
  };
  // The incident tells which alerts are in it, the pulse how those are.
  useEffect(() => {
    if (round > 0) refresh();
  }, [round, refresh]);
  usePulse(
    refresh,
    refreshPeriod,
    (changed) => changed.size === 0 || (items?.some(({ id }) => changed.has(id)) ?? false),
  );
  if (!items) {
    return error ? (
      <ErrorState title="The alerts cannot be loaded" error={error} onRetry={retry} />
    ) : (
      <Skeleton className="h-64" />
    );
  }
  if (items.length === 0) {
    return <p className="text-muted">No alerts belong to it. Select some in the queue and press e.</p>;
  }
  return (
    <>
      {error != null && <StaleBanner error={error} what="The list" onRetry={retry} />}
      {mayWork && selected.length > 0 && (
        <div
          role="toolbar"
          aria-label="Change the selected alerts"
          className="sticky top-0 z-10 mb-2 flex flex-wrap items-center gap-2 rounded-lg bg-accent-soft px-3 py-1.5 text-xs"
        >
          <span role="status" className="font-medium tabular-nums">
            {selected.length.toLocaleString('en')} selected
          </span>
          <Button icon={Split} onClick={() => setSplitting(true)}>
            Split off
          </Button>
          <Button icon={Unlink} onClick={() => void remove(selected.map(({ id }) => id))}>
            Take out
          </Button>
          <Button look="ghost" className="ml-auto" onClick={() => setMarked(new Set())}>
            Clear
          </Button>
        </div>
      )}
      <ul aria-label="Alerts of the incident" className="divide-y divide-line">
        {items.map((alert) => (
          <li key={alert.id} className="flex items-center gap-3 py-1.5">
            {mayWork && (
              <input
                type="checkbox"
                aria-label={`Select "${legible(alert.title)}"${alert.host && ` on ${legible(alert.host)}`}`}
                checked={marked.has(alert.id)}
                disabled={!marked.has(alert.id) && selected.length >= mostAlerts}
                onChange={() => mark(alert.id)}
                className="shrink-0 accent-accent"
              />
            )}
            <SeverityBadge severity={alert.severity} />
            <span className="w-40 shrink-0 max-sm:hidden">
              <StatusBadge status={alert.status} disposition={alert.disposition} />
            </span>
            <Link
              to="/alerts"
              search={{ alert: alert.id, status: 'all' }}
              className="min-w-0 grow truncate font-medium hover:underline"
            >
              {legible(alert.title)}
            </Link>
            <span className="shrink-0 truncate text-xs text-muted max-md:hidden">
              {legible([alert.host, alert.user].filter(Boolean).join(' · '))}
            </span>
            <span className="w-12 shrink-0 text-right text-xs text-muted tabular-nums max-md:hidden">
              {alert.count.toLocaleString('en')} ×
            </span>
            <span className="w-20 shrink-0 text-right text-xs text-muted">
              <Time at={alert.lastSeen} />
            </span>
            {mayWork && (
              <IconButton
                icon={Unlink}
                label={`Take "${legible(alert.title)}" out of the incident`}
                onClick={() => void remove([alert.id])}
              />
            )}
          </li>
        ))}
      </ul>
      {hasMore && (
        <Button className="mt-3" onClick={more} disabled={loading || error != null}>
          Load more
        </Button>
      )}
      {splitting && <SplitIncident incident={incident} alerts={selected} onClose={() => setSplitting(false)} />}
    </>
  );
}
