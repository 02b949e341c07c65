// How many over time, as stacked bars. Dragging, or Shift with the arrow keys and
// Enter, chooses a stretch. A table says the same to who cannot see it.
import clsx from 'clsx';
import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react';

export interface HistogramSeries {
  id: string;
  label: string;
  /** The colour, as a class: "fill-critical". */
  fill: string;
  counts: readonly number[];
}

interface HistogramProps {
  label: string;
  /** The beginning of each bucket, in milliseconds. */
  starts: readonly number[];
  /** The length of a bucket, in milliseconds. */
  interval: number;
  series: readonly HistogramSeries[];
  height?: number;
  /** The axis reaches at least here, so that a few are not drawn as many. */
  atLeast?: number;
  onChoose?(from: number, to: number): void;
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const exact = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** The end of an axis: 1, 2, 4, 6, 8 or 10 times a power of ten, so that its half is as plain. */
export function axisEnd(most: number): number {
  if (most <= 2) return 2;
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 4, 6, 8, 10].find((step) => step * power >= most) ?? 10) * power;
}
const dated = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit' });

export function Histogram({ label, starts, interval, series, height = 72, atLeast = 0, onChoose }: HistogramProps) {
  const [at, setAt] = useState<number | null>(null);
  const [from, setFrom] = useState<number | null>(null);
  const dragging = useRef(false);
  const box = useRef<HTMLDivElement>(null);
  const n = starts.length;
  const totals = starts.map((_, i) => series.reduce((sum, s) => sum + (s.counts[i] ?? 0), 0));
  const most = axisEnd(Math.max(atLeast, ...totals));
  const span = (starts.at(-1) ?? 0) + interval - (starts[0] ?? 0);
  const format = span > 86_400_000 ? dated : span <= 600_000 ? exact : clock;
  const ticks = height < 60 ? [most] : [most, most / 2];

  const bucketAt = (event: PointerEvent) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return Math.max(0, Math.min(n - 1, Math.floor(((event.clientX - left) / width) * n)));
  };
  const choose = (a: number, b: number) => {
    const [first, last] = [starts[Math.min(a, b)], starts[Math.max(a, b)]];
    setFrom(null);
    if (first !== undefined && last !== undefined) onChoose?.(first, last + interval);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step && n > 0) {
      const to = Math.max(0, Math.min(n - 1, (at ?? (step > 0 ? -1 : n)) + step));
      setFrom(event.shiftKey ? (from ?? at ?? to) : null);
      setAt(to);
    } else if (event.key === 'Enter' && at !== null && onChoose) choose(from ?? at, at);
    else if (event.key === 'Escape' && (at !== null || from !== null)) {
      setAt(null);
      setFrom(null);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const chosen = at !== null && from !== null ? ([Math.min(at, from), Math.max(at, from)] as const) : null;
  const told = at === null ? null : starts[at];

  return (
    <figure aria-label={label} className="relative m-0 pt-1.5 pl-9">
      {ticks.map((tick) => (
        <span
          key={tick}
          aria-hidden
          className="absolute left-0 w-7 -translate-y-1/2 text-right text-2xs text-faint tabular-nums"
          style={{ top: 6 + (1 - tick / most) * height }}
        >
          {compact.format(tick)}
        </span>
      ))}
      <div
        ref={box}
        role="slider"
        tabIndex={0}
        aria-label={`${label}: ${onChoose ? 'arrow keys move, Shift selects, Enter zooms in' : 'arrow keys move'}`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, n - 1)}
        aria-valuenow={at ?? 0}
        aria-valuetext={
          told === undefined || told === null || at === null
            ? 'Nothing chosen'
            : `${format.format(told)}: ${totals[at]?.toLocaleString('en')}`
        }
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          if (!onChoose || event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          dragging.current = true;
          setFrom(bucketAt(event));
          setAt(bucketAt(event));
        }}
        onPointerMove={(event) => setAt(bucketAt(event))}
        onPointerUp={(event) => {
          if (dragging.current && from !== null) choose(from, bucketAt(event));
          dragging.current = false;
        }}
        onPointerLeave={() => !dragging.current && setAt(null)}
        className={clsx('relative', onChoose && 'cursor-crosshair touch-pan-y')}
        style={{ height }}
      >
        {ticks.map((tick) => (
          <span
            key={tick}
            aria-hidden
            className="pointer-events-none absolute inset-x-0 border-t border-dashed border-line"
            style={{ top: `${(1 - tick / most) * 100}%` }}
          />
        ))}
        <svg
          aria-hidden
          viewBox={`0 0 ${Math.max(1, n)} ${most}`}
          preserveAspectRatio="none"
          className="relative size-full"
        >
          {starts.map((start, i) => {
            let y = most;
            return series.map((s) => {
              const count = s.counts[i] ?? 0;
              y -= count;
              return count > 0 ? (
                <rect key={`${start}-${s.id}`} x={i + 0.08} y={y} width={0.84} height={count} className={s.fill} />
              ) : null;
            });
          })}
        </svg>
        {chosen && (
          <span
            aria-hidden
            className="absolute inset-y-0 border-x border-accent bg-accent/15"
            style={{ left: `${(chosen[0] / n) * 100}%`, width: `${((chosen[1] - chosen[0] + 1) / n) * 100}%` }}
          />
        )}
        {at !== null && !chosen && (
          <span
            aria-hidden
            className="absolute inset-y-0 bg-ink/5"
            style={{ left: `${(at / n) * 100}%`, width: `${100 / n}%` }}
          />
        )}
        {told !== null && told !== undefined && at !== null && (
          <div
            aria-hidden
            className="pointer-events-none absolute top-0 z-10 -translate-y-full rounded-md border border-line bg-surface px-2 py-1 text-2xs whitespace-nowrap shadow-pop"
            style={at < n / 2 ? { left: `${(at / n) * 100}%` } : { right: `${((n - at - 1) / n) * 100}%` }}
          >
            <div className="font-medium">{dated.format(told)}</div>
            {series.map(
              (s) =>
                (s.counts[at] ?? 0) > 0 && (
                  <div key={s.id} className="flex items-center gap-1.5">
                    <svg viewBox="0 0 8 8" className="size-2">
                      <rect width={8} height={8} rx={2} className={s.fill} />
                    </svg>
                    {s.label} <span className="ml-auto tabular-nums">{s.counts[at]?.toLocaleString('en')}</span>
                  </div>
                ),
            )}
            {totals[at] === 0 && <div className="text-muted">None</div>}
          </div>
        )}
      </div>
      <div
        aria-hidden
        className="mt-0.5 flex justify-between border-t border-line pt-0.5 text-2xs text-faint tabular-nums"
      >
        {[0, 0.25, 0.5, 0.75].map((part) => {
          const start = starts[Math.floor(part * n)];
          return (
            start !== undefined && (
              <span key={part} className={clsx('whitespace-nowrap', part % 0.5 > 0 && 'max-sm:hidden')}>
                {format.format(start)}
              </span>
            )
          );
        })}
        {n > 0 && <span className="whitespace-nowrap">{format.format((starts.at(-1) ?? 0) + interval)}</span>}
      </div>
      <table className="sr-only">
        <caption>{label}</caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            {series.map((s) => (
              <th key={s.id} scope="col">
                {s.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {starts.map(
            (start, i) =>
              (totals[i] ?? 0) > 0 && (
                <tr key={start}>
                  <th scope="row">{dated.format(start)}</th>
                  {series.map((s) => (
                    <td key={s.id}>{s.counts[i] ?? 0}</td>
                  ))}
                </tr>
              ),
          )}
        </tbody>
      </table>
    </figure>
  );
}
