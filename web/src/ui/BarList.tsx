// Values with how often they come, as bars: read at a glance, and by a screen
// reader as a list.

import type { ReactNode } from 'react';
import { legible } from './legible';

interface BarListProps {
  rows: readonly { key: string; label: ReactNode; count: number }[];
  /** Makes a row something to press. */
  onChoose?(key: string): void;
  /** What pressing does, for screen readers: "Show alerts of". */
  does?: string;
  empty?: string;
}

export function BarList({ rows, onChoose, does = 'Show', empty = 'Nothing yet.' }: BarListProps) {
  const most = Math.max(1, ...rows.map((row) => row.count));
  if (rows.length === 0) return <p className="text-sm text-muted">{empty}</p>;
  return (
    <ul className="space-y-0.5 text-sm">
      {rows.map((row) => {
        const inside = (
          <>
            <span
              aria-hidden
              className="absolute inset-y-0 left-0 rounded bg-accent-soft"
              style={{ width: `${(row.count / most) * 100}%` }}
            />
            <span className="relative min-w-0 grow truncate text-left">
              {typeof row.label === 'string' ? legible(row.label) : row.label}
            </span>
            <span className="relative shrink-0 text-xs text-muted tabular-nums">{row.count.toLocaleString('en')}</span>
          </>
        );
        const look = 'relative flex h-7 w-full items-center gap-3 rounded px-2';
        return (
          <li key={row.key}>
            {onChoose ? (
              <button
                type="button"
                title={`${does} ${legible(row.key)}`}
                onClick={() => onChoose(row.key)}
                className={`${look} hover:outline hover:outline-line-strong`}
              >
                {inside}
              </button>
            ) : (
              <div className={look}>{inside}</div>
            )}
          </li>
        );
      })}
    </ul>
  );
}
