// A filter that is on or off, with how many it would show.

import clsx from 'clsx';
import type { ReactNode } from 'react';
import { legible } from './legible';

interface ChipProps {
  on: boolean;
  onToggle(): void;
  count?: number;
  children: ReactNode;
}

export function Chip({ on, onToggle, count, children }: ChipProps) {
  return (
    <button
      type="button"
      aria-pressed={on}
      onClick={onToggle}
      className={clsx(
        'inline-flex h-7 items-center gap-1.5 rounded-md border px-2 text-xs font-medium whitespace-nowrap',
        on
          ? 'border-accent bg-accent-soft text-ink'
          : 'border-line bg-surface text-muted hover:bg-hover hover:text-ink',
      )}
    >
      {typeof children === 'string' ? legible(children) : children}
      {count !== undefined && <span className="tabular-nums">{formatCount(count)}</span>}
    </button>
  );
}

const counts = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** 7, 950, 1.2K. */
export function formatCount(n: number): string {
  return counts.format(n);
}
