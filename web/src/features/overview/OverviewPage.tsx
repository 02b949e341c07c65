// How it stands: what is open, what comes in, where it comes from, how fast people are.
import { useQuery, useSubscription } from '@apollo/client/react';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { usePulse } from '../../live/pulse';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { severities, severityLook } from '../../nouns/severity/severity';
import { RangeSelect } from '../../nouns/time/RangeSelect';
import { boundsOf, intervalFor, type TimeRange } from '../../nouns/time/range';
import { Time } from '../../nouns/time/Time';
import { UsersDocument } from '../../nouns/user/Users.generated';
import { BarList } from '../../ui/BarList';
import { Card } from '../../ui/Card';
import { Histogram } from '../../ui/Histogram';
import { legible } from '../../ui/legible';
import { ErrorState, Skeleton } from '../../ui/States';
import { FlowCard } from './FlowCard';
import { HeatStrip } from './HeatStrip';
import { OverviewDocument, OverviewIngestDocument } from './Overview.generated';
import { formatRate } from './rate';
import { formatWait } from './wait';

const route = getRouteApi('/shell/overview');
const refreshPeriod = 5_000;
const openStatuses = ['NEW', 'ACKNOWLEDGED', 'IN_PROGRESS'] as const;

export function OverviewPage() {
  const range: TimeRange = route.useSearch();
  const navigate = useNavigate();
  const setRange = route.useNavigate();
  const key = JSON.stringify(range);
  const [at, setAt] = useState(() => Date.now());
  // A relative range ends with the bucket that runs, so that what comes in next is
  // in it, and the variables stay the same until the bucket is over.
  // biome-ignore lint/correctness/useExhaustiveDependencies: key stands for the range
  const variables = useMemo(() => {
    const { from, to } = boundsOf(range, '24h', at);
    const interval = intervalFor(from, to);
    const end = range.from ? to : Math.ceil(to / (interval * 1_000)) * interval * 1_000;
    const [start, stop] = [new Date(end - (to - from)).toISOString(), new Date(end).toISOString()];
    return {
      filter: { lastSeen: range.from ? { gte: start, lt: stop } : { gte: `now-${range.since ?? '24h'}` } },
      open: { status: { in: [...openStatuses] } },
      from: start,
      to: stop,
      interval: `PT${interval}S`,
    };
  }, [key, at]);
  const { data, previousData, error, refetch } = useQuery(OverviewDocument, { variables });
  const users = useQuery(UsersDocument, { fetchPolicy: 'cache-first' });
  const ingest = useSubscription(OverviewIngestDocument);
  usePulse(() => {
    setAt(Date.now());
    void refetch().catch(() => undefined);
  }, refreshPeriod);
  const now = data ?? previousData;
  if (error && !now) {
    return (
      <ErrorState
        title="The overview cannot be loaded"
        error={error}
        onRetry={() => void refetch().catch(() => undefined)}
      />
    );
  }
  if (!now) return <OverviewSkeleton />;

  const starts = now.series.starts.map((start) => Date.parse(start));
  const interval = (starts[1] ?? 0) - (starts[0] ?? 0) || 60_000;
  const series = [...severities].reverse().flatMap((severity) => {
    const found = now.series.series.find((s) => s.value === severity);
    const { label, fill } = severityLook[severity];
    return found ? [{ id: severity, label, fill, counts: found.counts }] : [];
  });
  const newest = now.newest.nodes[0];
  const people = new Map(users.data?.users.nodes.map((user) => [user.id, user.displayName]));
  const toAlerts = (q: string) => void navigate({ to: '/alerts', search: { q, status: 'all' } });
  const rows = (values: readonly { value: string; count: number }[]) =>
    values.map(({ value, count }) => ({ key: value, label: value, count }));
  const heatRange = range.from ? undefined : (range.since ?? '24h');
  const rate = ingest.data?.ingestStats;

  const { acknowledged, resolved } = now.times;
  const delay = newest ? Date.parse(newest.receivedAt) - Date.parse(newest.occurredAt) : 0;

  return (
    <div className="flex min-h-0 grow flex-col">
      <div className="flex flex-wrap items-center gap-3 border-b border-line bg-canvas px-3 py-2">
        <h1 className="sr-only">Overview</h1>
        <RangeSelect range={range} otherwise="24h" onChange={(next) => void setRange({ search: next })} />
        <p className="ml-auto text-xs text-muted">
          {newest ? (
            <>
              Newest event <Time at={newest.receivedAt} />
            </>
          ) : (
            'No event yet'
          )}
        </p>
      </div>
      <section
        aria-label="How it stands"
        tabIndex={0}
        className="min-h-0 grow overflow-y-auto p-4 focus-visible:outline-offset-[-2px] max-sm:p-2"
      >
        <div className="mx-auto max-w-[100rem] space-y-4">
          <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-xl border border-line bg-line md:grid-cols-3 xl:grid-cols-6">
            <Figure name="Open alerts" value={now.open.total.toLocaleString('en')} to="/alerts">
              {severities
                .map((s) => [s, now.open.bySeverity.find((c) => c.severity === s)?.count ?? 0] as const)
                .filter(([, count]) => count > 0)
                .slice(0, 2)
                .map(([s, count]) => `${count.toLocaleString('en')} ${severityLook[s].label.toLowerCase()}`)
                .join(', ')}
            </Figure>
            <Figure
              name="New, nobody on it"
              value={(now.open.byStatus.find((c) => c.status === 'NEW')?.count ?? 0).toLocaleString('en')}
              to="/alerts"
              search={{ status: 'new' }}
            >
              of {now.open.total.toLocaleString('en')} open
            </Figure>
            <Figure
              name="Mean time to acknowledge"
              value={acknowledged.count > 0 ? formatWait(acknowledged.meanSeconds, acknowledged.count) : 'None yet'}
            >
              {acknowledged.count > 0
                ? `9 of 10 within ${formatWait(acknowledged.p90Seconds, 1)}, of ${acknowledged.count.toLocaleString('en')}`
                : 'No alert of this time is acknowledged'}
            </Figure>
            <Figure
              name="Mean time to resolve"
              value={resolved.count > 0 ? formatWait(resolved.meanSeconds, resolved.count) : 'None yet'}
            >
              {resolved.count > 0
                ? `9 of 10 within ${formatWait(resolved.p90Seconds, 1)}, of ${resolved.count.toLocaleString('en')}`
                : 'No alert of this time is closed'}
            </Figure>
            <Figure name="Events a second" value={rate ? formatRate(rate.lastMinute.events / 60) : '…'} to="/events">
              {rate &&
                `${rate.lastMinute.events.toLocaleString('en')} in the last minute, ${rate.lastSecond.events.toLocaleString('en')} in the last second`}
            </Figure>
            <Figure name="Newest event" value={newest ? <Time at={newest.receivedAt} /> : 'None yet'} to="/events">
              {newest &&
                (delay < 60_000 ? 'sent within a minute' : `sent ${formatWait(delay / 1_000, 1)} after it happened`)}
            </Figure>
          </dl>
          <Card title="Alerts by severity">
            {starts.length > 0 ? (
              <Histogram
                label="Alerts by severity over time"
                starts={starts}
                interval={interval}
                series={series}
                height={120}
                onChoose={(from, to) =>
                  void setRange({ search: { from: new Date(from).toISOString(), to: new Date(to).toISOString() } })
                }
              />
            ) : (
              <p className="text-muted">No alerts in this time. Choose a longer one above.</p>
            )}
          </Card>
          <div className="grid gap-4 lg:grid-cols-3">
            <Card title="Rules that fire most">
              <BarList
                rows={rows(now.rules.values)}
                does="Show alerts of"
                onChoose={(v) => toAlerts(`title:"${v.replaceAll('"', '\\"')}"`)}
              />
            </Card>
            <Card title="Hosts with most alerts">
              <BarList
                rows={rows(now.hosts.values)}
                does="Look at"
                onChoose={(value) => void navigate({ to: '/entity', search: { kind: 'host', value } })}
              />
            </Card>
            <Card title="Sources of most alerts">
              <BarList
                rows={rows(now.sources.values)}
                does="Look at"
                onChoose={(value) => void navigate({ to: '/entity', search: { kind: 'address', value } })}
              />
            </Card>
          </div>
          <Card
            title="ATT&CK"
            action={
              <Link
                to="/attack"
                search={heatRange ? { since: heatRange } : {}}
                className="text-accent underline underline-offset-2"
              >
                Matrix
              </Link>
            }
          >
            <HeatStrip since={variables.from} range={heatRange} />
          </Card>
          <div className="grid gap-4 lg:grid-cols-3">
            <Card title="Open alerts by assignee">
              <BarList
                rows={[
                  ...now.assignees.values.map(({ value, count }) => ({
                    key: value,
                    label: people.get(value) ?? value,
                    count,
                  })),
                  { key: 'nobody', label: 'Nobody', count: Math.max(0, now.open.total - now.assignees.total) },
                ]}
              />
            </Card>
            <Card
              title="Open incidents"
              action={
                <Link to="/incidents" className="text-accent underline underline-offset-2">
                  All
                </Link>
              }
            >
              {now.incidents.nodes.length === 0 ? (
                <p className="text-sm text-muted">None. An alert is escalated with the key e.</p>
              ) : (
                <ul className="space-y-1">
                  {now.incidents.nodes.map((incident) => (
                    <li key={incident.id}>
                      <Link
                        to="/incidents/$id"
                        params={{ id: incident.id }}
                        className="flex items-center gap-2 rounded px-1 py-0.5 hover:bg-hover"
                      >
                        <SeverityBadge severity={incident.severity} />
                        <span className="truncate">{legible(incident.title)}</span>
                        <span className="ml-auto shrink-0 text-xs text-muted">
                          <Time at={incident.updatedAt} />
                        </span>
                      </Link>
                    </li>
                  ))}
                </ul>
              )}
            </Card>
            <FlowCard />
          </div>
        </div>
      </section>
    </div>
  );
}

interface FigureProps {
  name: string;
  value: React.ReactNode;
  to?: '/alerts' | '/events' | '/health';
  search?: Record<string, string>;
  children?: React.ReactNode;
}

function Figure({ name, value, to, search, children }: FigureProps) {
  return (
    <div className="min-w-0 bg-surface px-4 py-3 max-sm:px-3">
      <dt className="truncate text-xs text-muted" title={name}>
        {name}
      </dt>
      <dd className="mt-0.5 truncate text-xl font-semibold tabular-nums">
        {to ? (
          <Link to={to} search={(search ?? {}) as never} className="hover:underline">
            {value}
          </Link>
        ) : (
          value
        )}
      </dd>
      <dd className="min-h-4.5 text-xs text-balance text-muted">{children}</dd>
    </div>
  );
}

function OverviewSkeleton() {
  return (
    <div role="status" aria-label="Loading" className="grow space-y-4 p-4">
      <div className="grid gap-4 sm:grid-cols-3 2xl:grid-cols-6">
        {['a', 'b', 'c', 'd', 'e', 'f'].map((id) => (
          <Skeleton key={id} className="h-20" />
        ))}
      </div>
      <Skeleton className="h-44" />
      <Skeleton className="h-64" />
    </div>
  );
}
