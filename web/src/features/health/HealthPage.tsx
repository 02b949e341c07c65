// How the system itself is: what comes in, what runs, how far feeds are behind.
import { useQuery, useSubscription } from '@apollo/client/react';
import { useState } from 'react';
import { FirstSteps } from '../../nouns/event/FirstSteps';
import { jobLabel } from '../../nouns/job/JobProgress';
import { actorText } from '../../nouns/journal/words';
import { Time } from '../../nouns/time/Time';
import { BarList } from '../../ui/BarList';
import { Card } from '../../ui/Card';
import { Facts } from '../../ui/Facts';
import { Histogram } from '../../ui/Histogram';
import { ErrorState, SkeletonRows } from '../../ui/States';
import { Table } from '../../ui/Table';
import { HealthDocument, HealthIngestDocument } from './Health.generated';

const period = 10_000;
const remembered = 120;

export function HealthPage() {
  const { data, error, refetch } = useQuery(HealthDocument, { pollInterval: period });
  const [seconds, setSeconds] = useState<readonly { at: number; events: number }[]>([]);
  const live = useSubscription(HealthIngestDocument, {
    onData: ({ data: { data } }) => {
      if (!data) return;
      const { at, lastSecond } = data.ingestStats;
      setSeconds((was) => [...was, { at: Date.parse(at), events: lastSecond.events }].slice(-remembered));
    },
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
  if (!data) return <SkeletonRows />;
  const newest = data.newest.nodes[0];
  const minute = live.data?.ingestStats.lastMinute;
  const { journalRetention: journal } = data.settings;
  return (
    <div className="min-h-0 grow overflow-y-auto p-4">
      <div className="mx-auto max-w-[90rem] space-y-4">
        <h1 className="text-lg font-semibold">Health</h1>
        {!newest && <FirstSteps />}
        <div className="grid gap-4 lg:grid-cols-2">
          <Card title="Events stored, each second">
            {seconds.length > 1 ? (
              <Histogram
                label="Events stored in the last two minutes"
                starts={seconds.map((s) => s.at)}
                interval={1_000}
                series={[{ id: 'events', label: 'Events', fill: 'fill-accent', counts: seconds.map((s) => s.events) }]}
                height={96}
              />
            ) : (
              <p className="text-muted">Measuring.</p>
            )}
            <p className="mt-2 text-xs text-muted tabular-nums">
              {minute &&
                `In the last minute ${minute.events.toLocaleString('en')} events in ${minute.batches.toLocaleString('en')} requests, ${minute.alerts.toLocaleString('en')} alerts.`}
            </p>
          </Card>
          <Card title="Formats of the last 24 hours">
            <BarList
              rows={data.formats.values.map(({ value, count }) => ({ key: value, label: value, count }))}
              empty="Nothing came in."
            />
          </Card>
        </div>
        <div className="grid gap-4 lg:grid-cols-2">
          <Card title="State">
            <Facts
              rows={[
                ['Version', data.viewer.serverVersion],
                ['Newest event', newest ? <Time key="n" at={newest.receivedAt} /> : 'None'],
                ['Its own time', newest && <Time key="o" at={newest.occurredAt} />],
                ['Events are kept', data.settings.eventRetention],
                [
                  'Journal',
                  `${journal.entries.toLocaleString('en')} entries, ${(journal.bytes / 1_048_576).toFixed(1)} MiB`,
                ],
                ['Oldest entry', journal.oldest && <Time key="j" at={journal.oldest} />],
              ]}
            />
          </Card>
          <Card title="Your feeds">
            {data.viewer.feeds.length === 0 ? (
              <p className="text-muted">None is open.</p>
            ) : (
              <ul className="space-y-1 text-sm">
                {data.viewer.feeds.map((feed) => (
                  <li key={feed.id} className="flex gap-3">
                    <span className="truncate">{feed.operation || 'Without a name'}</span>
                    <span className="ml-auto shrink-0 text-xs text-muted tabular-nums">
                      {feed.lag === 0 ? 'up to date' : `${feed.lag} behind, ${feed.lagSeconds.toFixed(1)} s`}
                    </span>
                  </li>
                ))}
              </ul>
            )}
          </Card>
        </div>
        <Card title="Jobs">
          {data.jobs.nodes.length === 0 ? (
            <p className="text-muted">None has run.</p>
          ) : (
            <Table
              label="List of jobs"
              columns={['Job', 'State', 'Done', 'Refused', 'By', 'Begun', 'Says']}
              rows={data.jobs.nodes.map((job) => ({
                key: job.id,
                cells: [
                  jobLabel[job.kind],
                  job.state.toLowerCase(),
                  `${job.done.toLocaleString('en')} of ${job.total.toLocaleString('en')}`,
                  job.failed.toLocaleString('en'),
                  actorText(job.createdBy),
                  <Time key="t" at={job.createdAt} />,
                  job.message,
                ],
              }))}
            />
          )}
        </Card>
      </div>
    </div>
  );
}
