// The shape of what matches: when it happened.
import { useQuery } from '@apollo/client/react';
import { useEffect, useMemo, useState } from 'react';
import type { EventFilter } from '../../gql/schema';
import { boundsOf, intervalFor, type TimeRange } from '../../nouns/time/range';
import { Histogram } from '../../ui/Histogram';
import { EventHistogramDocument } from './EventShape.generated';

const refreshPeriod = 10_000;

interface EventHistogramProps {
  filter: EventFilter;
  range: TimeRange;
  /** Whether it moves on with the clock. */
  live: boolean;
  onRange(range: TimeRange): void;
}

export function EventHistogram({ filter, range, live, onRange }: EventHistogramProps) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!live) return;
    const timer = setInterval(() => setNow(Date.now()), refreshPeriod);
    return () => clearInterval(timer);
  }, [live]);
  const key = JSON.stringify(range);
  // biome-ignore lint/correctness/useExhaustiveDependencies: key stands for the range
  const { from, to, interval } = useMemo(() => {
    const bounds = boundsOf(range, '1h', now);
    return { ...bounds, interval: intervalFor(bounds.from, bounds.to, 96) };
  }, [key, now]);
  const { data, previousData } = useQuery(EventHistogramDocument, {
    variables: {
      filter,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      interval: `PT${interval}S`,
    },
    // Every look has bounds of its own: the cache would keep them all.
    fetchPolicy: 'no-cache',
  });
  const found = (data ?? previousData)?.eventTimeSeries;
  return (
    <div className="border-b border-line bg-surface px-3 pt-2 max-sm:hidden">
      {!range.since && !range.from && <p className="pl-9 text-2xs text-muted">The last hour</p>}
      <Histogram
        label={`Events over time${range.since || range.from ? '' : ', the last hour'}`}
        starts={found?.starts.map((start) => Date.parse(start)) ?? []}
        interval={interval * 1_000}
        height={48}
        series={[{ id: 'all', label: 'Events', fill: 'fill-accent', counts: found?.series[0]?.counts ?? [] }]}
        onChoose={(first, last) => onRange({ from: new Date(first).toISOString(), to: new Date(last).toISOString() })}
      />
    </div>
  );
}
