import { useQuery } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import { Unlink } from 'lucide-react';
import { useEffect } from 'react';
import { StatusBadge } from '../../nouns/alert/StatusBadge';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { Time } from '../../nouns/time/Time';
import { Button, IconButton } from '../../ui/Button';
import { legible } from '../../ui/legible';
import { ErrorState, Skeleton } from '../../ui/States';
import { useChange } from '../../ui/useChange';
import { IncidentRemoveAlertsDocument } from './Changes.generated';
import { IncidentAlertsDocument } from './Incident.generated';
import type { IncidentDetail } from './IncidentPage';

const pageSize = 50;

interface IncidentAlertsProps {
  incident: IncidentDetail;
  round: number;
  mayWork: boolean;
}

export function IncidentAlerts({ incident, round, mayWork }: IncidentAlertsProps) {
  const change = useChange();
  const { data, error, refetch, fetchMore } = useQuery(IncidentAlertsDocument, {
    variables: { id: incident.id, first: pageSize },
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change is read anew
  useEffect(() => {
    if (round > 0) void refetch().catch(() => undefined);
  }, [round]);
  const alerts = data?.incident?.alerts;
  if (!alerts) {
    return error ? (
      <ErrorState
        title="The alerts cannot be loaded"
        error={error}
        onRetry={() => void refetch().catch(() => undefined)}
      />
    ) : (
      <Skeleton className="h-64" />
    );
  }
  if (alerts.nodes.length === 0) {
    return <p className="text-muted">No alerts belong to it. Select some in the queue and press e.</p>;
  }
  const more = () =>
    void fetchMore({
      variables: { after: alerts.pageInfo.endCursor },
      updateQuery: (was, { fetchMoreResult: next }) => {
        if (!was.incident || !next.incident) return was;
        const nodes = [...was.incident.alerts.nodes, ...next.incident.alerts.nodes];
        return { ...next, incident: { ...next.incident, alerts: { ...next.incident.alerts, nodes } } };
      },
    }).catch(() => undefined);
  return (
    <>
      <ul aria-label="Alerts of the incident" className="divide-y divide-line">
        {alerts.nodes.map((alert) => (
          <li key={alert.id} className="flex items-center gap-3 py-1.5">
            <SeverityBadge severity={alert.severity} />
            <span className="w-28 shrink-0 max-sm:hidden">
              <StatusBadge status={alert.status} />
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
            <span className="w-20 shrink-0 text-right text-xs text-muted">
              <Time at={alert.lastSeen} />
            </span>
            {mayWork && (
              <IconButton
                icon={Unlink}
                label={`Take "${legible(alert.title)}" out of the incident`}
                onClick={() =>
                  void change(IncidentRemoveAlertsDocument, {
                    input: { id: incident.id, expectedVersion: incident.version, alerts: [alert.id] },
                  })
                }
              />
            )}
          </li>
        ))}
      </ul>
      {alerts.pageInfo.hasNextPage && (
        <Button className="mt-3" onClick={more}>
          Load more
        </Button>
      )}
    </>
  );
}
