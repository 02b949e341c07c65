import { Select } from '../../ui/Select';
import { presets, type TimeRange } from './range';

interface RangeSelectProps {
  range: TimeRange;
  /** The label of no bound at all; absent: there always is one. */
  anyTime?: string;
  otherwise?: string;
  onChange(range: TimeRange): void;
}

const short = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit' });

/** The latest so long; a stretch that was chosen in a chart is one choice more. */
export function RangeSelect({ range, anyTime, otherwise = '', onChange }: RangeSelectProps) {
  const chosen = range.from && range.to;
  return (
    <Select
      label="Time"
      value={chosen ? 'chosen' : (range.since ?? otherwise)}
      onChange={(value) => {
        if (value !== 'chosen') onChange(value && value !== otherwise ? { since: value } : {});
      }}
      options={[
        ...(chosen && range.from && range.to
          ? [['chosen', `${short.format(new Date(range.from))} – ${short.format(new Date(range.to))}`] as const]
          : []),
        ...(anyTime ? [['', anyTime] as const] : []),
        ...presets,
      ]}
    />
  );
}
