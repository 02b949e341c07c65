// When the alerts that match were seen; dragging narrows the list.
import { useQuery } from '@apollo/client/react';
import { useEffect, useMemo, useState } from 'react';
import { usePulse } from '../../live/pulse';
import { severities, severityLook } from '../../nouns/severity/severity';
import { boundsOf, intervalFor, type TimeRange } from '../../nouns/time/range';
import { Histogram } from '../../ui/Histogram';
import { AlertHistogramDocument } from './AlertHistogram.generated';
import { type AlertFilters, apiFilter } from './filters';

const refreshPeriod = 5_000;

interface AlertHistogramProps {
  filters: AlertFilters;
  onRange(range: TimeRange): void;
}

export function AlertHistogram({ filters, onRange }: AlertHistogramProps) {
  const [now, setNow] = useState(Date.now);
  const key = JSON.stringify(filters.range);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another range is read as of now
  useEffect(() => setNow(Date.now()), [key]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: key stands for the range
  const { from, to, interval } = useMemo(() => {
    const bounds = boundsOf(filters.range, '24h', now);
    return { ...bounds, interval: intervalFor(bounds.from, bounds.to, 96) };
  }, [key, now]);
  const { data, previousData } = useQuery(AlertHistogramDocument, {
    variables: {
      filter: apiFilter(filters),
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      interval: `PT${interval}S`,
    },
    // Every look has bounds of its own: the cache would keep them all.
    fetchPolicy: 'no-cache',
  });
  usePulse(() => setNow(Date.now()), refreshPeriod);
  const found = (data ?? previousData)?.alertTimeSeries;
  return (
    <div className="border-b border-line bg-surface px-3 pt-2 max-sm:hidden">
      <Histogram
        label={`Alerts over time${filters.range.since || filters.range.from ? '' : ', the last 24 hours'}`}
        starts={found?.starts.map((start) => Date.parse(start)) ?? []}
        interval={interval * 1_000}
        height={40}
        series={[...severities].reverse().flatMap((severity) => {
          const counts = found?.series.find((s) => s.value === severity)?.counts;
          const { label, fill } = severityLook[severity];
          return counts ? [{ id: severity, label, fill, counts }] : [];
        })}
        onChoose={(first, last) => onRange({ from: new Date(first).toISOString(), to: new Date(last).toISOString() })}
      />
    </div>
  );
}
