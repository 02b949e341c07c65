// The rule as it is written, on what is stored: how often it would have fired, when,
// and on what. It goes on in the background, and stands in the address.
import { useQuery, useSubscription } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import { History, X } from 'lucide-react';
import { useState } from 'react';
import { alertsText } from '../../nouns/alert/alertsText';
import { JobCancelDocument } from '../../nouns/job/Job.generated';
import { withCondition } from '../../nouns/query/condition';
import { useQueryLine } from '../../nouns/query/useQueryLine';
import { useViewer } from '../../nouns/user/useViewer';
import { Banner } from '../../ui/Banner';
import { BarList } from '../../ui/BarList';
import { Button } from '../../ui/Button';
import { Choice } from '../../ui/Field';
import { Histogram } from '../../ui/Histogram';
import { QueryBox } from '../../ui/QueryBox';
import { Section } from '../../ui/Section';
import { useChange } from '../../ui/useChange';
import { AppliedFilters } from './AppliedFilters';
import {
  type BacktestFragment,
  BacktestNowDocument,
  BacktestProgressDocument,
  RuleBacktestDocument,
} from './RuleBacktest.generated';
import { RuleMatch } from './RuleMatch';

const spans = [
  ['1', 'the last day'],
  ['7', 'the last 7 days'],
  ['30', 'the last 30 days'],
  ['90', 'the last 90 days'],
] as const;

interface RuleBacktestProps {
  source: string;
  broken: boolean;
  /** The job that stands in the address. */
  job: string | null;
  onJob(id: string): void;
}

export function RuleBacktest({ source, broken, job, onJob }: RuleBacktestProps) {
  const change = useChange();
  const { mayWork } = useViewer();
  const [span, setSpan] = useState('7');
  const [query, setQuery] = useState('');
  const line = useQueryLine('EVENTS', query);
  const [busy, setBusy] = useState(false);
  const begin = async () => {
    setBusy(true);
    const from = new Date(Date.now() - Number(span) * 86_400_000).toISOString();
    const filter = query.trim() ? { query: query.trim() } : {};
    const begun = await change(RuleBacktestDocument, { input: { source, filter, from } });
    if (begun?.job) onJob(begun.job.id);
    setBusy(false);
  };
  if (!mayWork) return <p className="text-muted">Analysts may try rules on all that is stored.</p>;
  return (
    <div className="space-y-4">
      <Choice label="Events of" value={span} options={spans} onChange={setSpan} />
      <div>
        <p aria-hidden className="mb-1 text-xs font-medium">
          Only those that match
        </p>
        <QueryBox label="Only those that match" value={query} line={line} onChange={setQuery} />
      </div>
      <Button icon={History} disabled={busy || broken} onClick={() => void begin()}>
        Backtest
      </Button>
      {job && <Backtest key={job} id={job} />}
    </div>
  );
}

function Backtest({ id }: { id: string }) {
  const change = useChange();
  const { data, error } = useQuery(BacktestNowDocument, { variables: { id }, fetchPolicy: 'network-only' });
  const live = useSubscription(BacktestProgressDocument, { variables: { id }, fetchPolicy: 'no-cache' });
  const job = live.data?.jobProgress ?? data?.job;
  if (!job) {
    if (error) return <Banner tone="error">The backtest cannot be loaded.</Banner>;
    return data ? <p className="text-muted">There is no such backtest any more.</p> : null;
  }
  const running = job.state === 'RUNNING';
  return (
    <section aria-label="Backtest" className="space-y-4">
      <div className="flex items-center gap-3">
        <progress
          aria-label="Backtest"
          max={Math.max(1, job.total)}
          value={running ? job.done : job.state === 'DONE' ? Math.max(1, job.total) : job.done}
          className="h-1.5 grow accent-accent"
        />
        <span className="text-xs text-muted tabular-nums">
          {running ? `${Math.floor((100 * job.done) / Math.max(1, job.total))} %` : state[job.state]}
        </span>
        {running && (
          <Button icon={X} onClick={() => void change(JobCancelDocument, { input: { id } })}>
            Cancel
          </Button>
        )}
      </div>
      {job.state === 'FAILED' && <Banner tone="error">{job.message}</Banner>}
      {job.backtest && <Found found={job.backtest} ended={!running} />}
    </section>
  );
}

const state = { RUNNING: 'Running', DONE: 'Done', FAILED: 'Failed', CANCELLED: 'Cancelled' };

function Found({ found, ended }: { found: NonNullable<BacktestFragment['backtest']>; ended: boolean }) {
  const starts = found.histogram.starts.map((at) => Date.parse(at));
  const interval = (starts[1] ?? Date.parse(found.to)) - (starts[0] ?? 0);
  return (
    <>
      <div role="status" className="space-y-1">
        <p className="font-semibold">
          It fires on {found.matched.toLocaleString('en')} of {found.tried.toLocaleString('en')}
        </p>
        <p className="text-muted">
          {found.matched === found.suppressed
            ? 'It would have raised no alert.'
            : `It would have raised ${found.alertsAreMore ? 'more than ' : ''}${alertsText(found.alerts)}, each still open when the next match comes.`}
        </p>
        {found.suppressed > 0 && (
          <p className="text-muted">
            Suppressions in force hide {found.suppressed.toLocaleString('en')} of the matches.
          </p>
        )}
        <AppliedFilters filters={found.filters} />
        {ended && !found.complete && <p className="text-warn">Earlier events of the time were not tried.</p>}
        {found.unreadable > 0 && (
          <p className="text-warn">{found.unreadable.toLocaleString('en')} events could not be read.</p>
        )}
      </div>
      {found.matched > 0 && (
        <>
          <Histogram
            label="Matches over time"
            starts={starts}
            interval={interval}
            series={[
              { id: 'matches', label: 'Matches', fill: 'fill-accent', counts: found.histogram.series[0]?.counts ?? [] },
            ]}
          />
          <Section title="Hosts">
            <Top field="host" found={found} values={found.hosts.values} />
          </Section>
          <Section title="Users">
            <Top field="user" found={found} values={found.users.values} />
          </Section>
          <ul aria-label="Matches" className="space-y-2">
            {found.matches.map((result, i) => (
              <RuleMatch key={result.event?.id ?? `gone-${i}`} result={result} />
            ))}
          </ul>
          {found.matched > found.matches.length && (
            <p className="text-xs text-muted">The latest {found.matches.length} are shown.</p>
          )}
        </>
      )}
    </>
  );
}

interface TopProps {
  field: string;
  found: { from: string; to: string };
  values: readonly { value: string; count: number }[];
}

/** Each leads to the events it is about. */
function Top({ field, found, values }: TopProps) {
  return (
    <BarList
      empty="None."
      rows={values.map(({ value, count }) => ({
        key: value,
        count,
        label: (
          <Link
            to="/events"
            search={{ q: withCondition('', field, value), from: found.from, to: found.to }}
            className="hover:underline"
          >
            {value}
          </Link>
        ),
      }))}
    />
  );
}
