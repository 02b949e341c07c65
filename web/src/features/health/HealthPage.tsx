// How the system itself is: what comes in, what runs, what waits, how far feeds
// are behind, what is kept.
import { useQuery, useSubscription } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import clsx from 'clsx';
import { CircleCheck, TriangleAlert } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { jobLabel } from '../../nouns/job/JobProgress';
import { actorText } from '../../nouns/journal/words';
import { ShipperBadge } from '../../nouns/shipper/ShipperBadge';
import { formatDuration, secondsOf } from '../../nouns/time/duration';
import { Time } from '../../nouns/time/Time';
import { formatDate } from '../../nouns/time/time';
import { useViewer } from '../../nouns/user/useViewer';
import { BarList } from '../../ui/BarList';
import { Card } from '../../ui/Card';
import { Facts } from '../../ui/Facts';
import { Histogram } from '../../ui/Histogram';
import { legible } from '../../ui/legible';
import { ErrorState, Skeleton } from '../../ui/States';
import { Table } from '../../ui/Table';
import { HealthDocument, HealthIngestDocument, type HealthQuery } from './Health.generated';
import { healthProblems, problemsOf, type Replica } from './problems';

const period = 5_000;
/** Seconds that the chart shows. */
const remembered = 120;

export function HealthPage() {
  const { viewer, mayAdminister } = useViewer();
  const { data, error, refetch } = useQuery(HealthDocument, {
    variables: { admin: mayAdminister },
    pollInterval: period,
    skip: !viewer,
  });
  if (error && !data) {
    return (
      <ErrorState
        title="The state of the system cannot be loaded"
        error={error}
        onRetry={() => void refetch().catch(() => undefined)}
      />
    );
  }
  if (!data) return <HealthSkeleton />;
  const feeds = data.feedConsumers?.nodes ?? data.viewer.feeds;
  return (
    <section
      aria-label="State of the system"
      tabIndex={0}
      className="min-h-0 grow overflow-y-auto p-4 focus-visible:outline-offset-[-2px] max-sm:p-2"
    >
      <div className="mx-auto max-w-[100rem] space-y-4">
        <h1 className="sr-only">Health</h1>
        <Verdict problems={healthProblems(data)} replicas={data.serverHealth.replicas.length} />
        <div className="grid gap-4 lg:grid-cols-3">
          <Card title="Events stored, each second" className="lg:col-span-2">
            <Ingest />
          </Card>
          <Card title="Formats of the last 24 hours">
            <BarList
              rows={data.formats.values.map(({ value, count }) => ({ key: value, label: value, count }))}
              empty="Nothing came in."
            />
          </Card>
        </div>
        <Card title="Replicas">
          <Replicas replicas={data.serverHealth.replicas} />
        </Card>
        <div className="grid gap-4 lg:grid-cols-2">
          <Card
            title="Shippers"
            action={
              <Link to="/integrations" className="text-accent underline underline-offset-2">
                Tokens
              </Link>
            }
          >
            <Shippers tokens={data.tokens.nodes} />
          </Card>
          <Card title={data.feedConsumers ? 'Feeds' : 'Your feeds'}>
            <Feeds feeds={feeds} />
          </Card>
        </div>
        <div className="grid gap-4 lg:grid-cols-3">
          <Card title="Kept">
            <Kept data={data} />
          </Card>
          <Card title="Jobs" className="lg:col-span-2">
            <Jobs jobs={data.jobs.nodes} />
          </Card>
        </div>
      </div>
    </section>
  );
}

function Verdict({ problems, replicas }: { problems: readonly string[]; replicas: number }) {
  const well = problems.length === 0;
  const Icon = well ? CircleCheck : TriangleAlert;
  return (
    <div
      role="status"
      className={clsx(
        'flex items-start gap-2.5 rounded-xl border border-line px-4 py-3',
        well ? 'bg-good-soft' : 'bg-warn-soft',
      )}
    >
      <Icon size={18} aria-hidden className={clsx('mt-px shrink-0', well ? 'text-good' : 'text-warn')} />
      {well ? (
        <p>
          <span className="font-semibold">All is well.</span> {replicas === 1 ? 'One replica' : `${replicas} replicas`},
          database, Redis and feeds work.
        </p>
      ) : (
        <ul className="space-y-0.5">
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** The latest two minutes; the newest second stands on the right. */
function Ingest() {
  const [seconds, setSeconds] = useState<readonly { at: number; events: number }[]>([]);
  const live = useSubscription(HealthIngestDocument, {
    onData: ({ data: { data } }) => {
      if (!data) return;
      const { at, lastSecond } = data.ingestStats;
      setSeconds((was) => [...was, { at: Date.parse(at), events: lastSecond.events }].slice(-remembered));
    },
  });
  const newest = seconds.at(-1);
  if (!newest) return <Skeleton className="h-36" />;
  const minute = live.data?.ingestStats.lastMinute;
  const counts = new Map(seconds.map((second) => [Math.round((newest.at - second.at) / 1_000), second.events]));
  const slots = Array.from({ length: remembered }, (_, i) => remembered - 1 - i);
  return (
    <>
      <Histogram
        label="Events stored in the last two minutes, each second"
        starts={slots.map((ago) => newest.at - (ago + 1) * 1_000)}
        interval={1_000}
        atLeast={10}
        series={[
          { id: 'events', label: 'Events', fill: 'fill-accent', counts: slots.map((ago) => counts.get(ago) ?? 0) },
        ]}
        height={196}
      />
      <dl className="mt-3 flex flex-wrap gap-x-8 gap-y-2 text-xs">
        <Figure name="Last second" value={newest.events} unit="events" />
        {minute && <Figure name="Last minute" value={minute.events} unit="events" />}
        {minute && <Figure name="In" value={minute.batches} unit="requests" />}
        {minute && <Figure name="Raised" value={minute.alerts} unit="alerts" />}
      </dl>
      <p className="mt-1 text-xs text-muted max-sm:hidden">The chart begins when the page is opened</p>
    </>
  );
}

function Figure({ name, value, unit }: { name: string; value: number; unit: string }) {
  return (
    <div className="flex items-baseline gap-1.5">
      <dt className="text-muted">{name}</dt>
      <dd className="font-medium tabular-nums">
        {value.toLocaleString('en')} {value === 1 ? unit.slice(0, -1) : unit}
      </dd>
    </div>
  );
}

function Replicas({ replicas }: { replicas: readonly Replica[] }) {
  return (
    <Table
      bare
      label="List of replicas"
      columns={[
        'Name',
        'State',
        'Version',
        'Up since',
        'Database',
        'Journal',
        'Redis',
        'Subscriptions',
        'Connections',
        'Waiting to be stored',
        'Jobs',
        'Exports',
        'Rules',
      ]}
      rows={replicas.map((replica) => ({
        key: replica.name,
        cells: [
          <span key="n" className="font-medium whitespace-nowrap">
            {legible(replica.name)}
          </span>,
          <Mark key="s" well={problemsOf(replica).length === 0} />,
          <span key="v" className="font-mono text-xs whitespace-nowrap">
            {replica.version}
          </span>,
          <Time key="u" at={replica.startedAt} className="whitespace-nowrap" />,
          <span key="d" className="whitespace-nowrap">
            {replica.databaseSeconds === null ? 'No answer' : `${(replica.databaseSeconds * 1_000).toFixed(1)} ms`}
          </span>,
          <span key="j" className="whitespace-nowrap">
            {replica.behind === 0 ? 'Up to date' : `${replica.behind.toLocaleString('en')} behind`}
          </span>,
          replica.redis ? 'Connected' : 'Away',
          replica.subscriptions.toLocaleString('en'),
          replica.connections.toLocaleString('en'),
          `${replica.ingestWaiting} of ${replica.ingestPlaces}`,
          `${replica.jobsRunning} of ${replica.jobPlaces}`,
          `${replica.exportsRunning} of ${replica.exportPlaces}`,
          replica.rulesRunning.toLocaleString('en'),
        ],
      }))}
    />
  );
}

function Mark({ well }: { well: boolean }) {
  const Icon = well ? CircleCheck : TriangleAlert;
  return (
    <span className="inline-flex items-center gap-1.5 text-xs whitespace-nowrap">
      <Icon size={13} aria-hidden className={well ? 'text-good' : 'text-warn'} />
      {well ? 'Well' : 'Look at it'}
    </span>
  );
}

function Shippers({ tokens }: { tokens: HealthQuery['tokens']['nodes'] }) {
  const shippers = tokens.filter((token) => token.scopes.includes('INGEST'));
  if (shippers.length === 0) {
    return (
      <p className="text-muted">
        No token may send.{' '}
        <Link to="/integrations" search={{ section: 'shippers' }} className="text-accent underline underline-offset-2">
          Connect a shipper
        </Link>
      </p>
    );
  }
  return (
    <Table
      bare
      label="List of shippers"
      columns={['Token', 'State', 'Expires']}
      rows={shippers.map((token) => ({
        key: token.id,
        cells: [
          <span key="n" className="font-medium">
            {legible(token.name)}
          </span>,
          <ShipperBadge key="s" lastUsedAt={token.lastUsedAt} />,
          token.expiresAt ? formatDate(token.expiresAt) : 'Never',
        ],
      }))}
    />
  );
}

function Feeds({ feeds }: { feeds: HealthQuery['viewer']['feeds'] }) {
  if (feeds.length === 0) return <p className="text-muted">None is open.</p>;
  return (
    <Table
      bare
      label="List of feeds"
      columns={['Feed', 'Who', 'Since', 'Delivered', 'Behind']}
      rows={feeds.map((feed) => ({
        key: feed.id,
        cells: [
          <span key="o" className="font-medium">
            {legible(feed.operation || 'Without a name')}
          </span>,
          actorText(feed.owner),
          <Time key="s" at={feed.since} className="whitespace-nowrap" />,
          feed.delivered.toLocaleString('en'),
          feed.lag === 0 ? 'Nothing' : `${feed.lag.toLocaleString('en')} entries, ${feed.lagSeconds.toFixed(1)} s`,
        ],
      }))}
    />
  );
}

function Kept({ data }: { data: HealthQuery }) {
  const newest = data.newest.nodes[0];
  const { eventRetention, journalRetention: journal } = data.settings;
  const kept = (duration: string) => (secondsOf(duration) === 0 ? 'for ever' : formatDuration(duration));
  return (
    <Facts
      rows={[
        ['Newest event', newest ? <Time key="n" at={newest.receivedAt} /> : 'None'],
        ['It happened', newest && <Time key="o" at={newest.occurredAt} />],
        ['Events are kept', kept(eventRetention)],
        ['Journal is kept', kept(journal.maxAge)],
        [
          'Journal has',
          `${journal.entries.toLocaleString('en')} entries, ${(journal.bytes / 1_048_576).toFixed(1)} MiB`,
        ],
        ['Oldest entry', journal.oldest && <Time key="j" at={journal.oldest} />],
        ['Version', data.viewer.serverVersion],
      ]}
    />
  );
}

function Jobs({ jobs }: { jobs: HealthQuery['jobs']['nodes'] }): ReactNode {
  if (jobs.length === 0) {
    return (
      <p className="text-muted">
        None has run. Jobs change many alerts at once, check the audit log, and hold stored events against a rule.
      </p>
    );
  }
  return (
    <Table
      bare
      label="List of jobs"
      columns={['Job', 'State', 'Done', 'Refused', 'By', 'Begun', 'Says']}
      rows={jobs.map((job) => ({
        key: job.id,
        cells: [
          jobLabel[job.kind],
          job.state.charAt(0) + job.state.slice(1).toLowerCase(),
          `${job.done.toLocaleString('en')} of ${job.total.toLocaleString('en')}`,
          job.failed.toLocaleString('en'),
          actorText(job.createdBy),
          <Time key="t" at={job.createdAt} className="whitespace-nowrap" />,
          job.message,
        ],
      }))}
    />
  );
}

function HealthSkeleton() {
  return (
    <div role="status" aria-label="Loading" className="grow space-y-4 p-4">
      <Skeleton className="h-12" />
      <div className="grid gap-4 lg:grid-cols-3">
        <Skeleton className="h-56 lg:col-span-2" />
        <Skeleton className="h-56" />
      </div>
      <Skeleton className="h-32" />
      <Skeleton className="h-48" />
    </div>
  );
}
