// How many wait above a list, or while it is paused. It stands in the head of the widest
// column, beside its name: it takes no room, so that nothing moves, and covers nothing.
// It is read out now and then, not with each one that comes.
import { ArrowUp } from 'lucide-react';
import { useSeldom } from './useSeldom';
import type { Column } from './VirtualGrid';

/** ms */
const readOutPeriod = 5_000;

interface News {
  count: number;
  /** There are more than `count`. */
  more: boolean;
  /** Changes that wait until the list goes on. */
  waiting?: number;
  /** There are more than `waiting`. */
  waitingMore?: boolean;
}

interface NewPillProps extends News {
  onShow(): void;
}

export function NewPill({ onShow, ...news }: NewPillProps) {
  const text = textOf(news);
  if (!text) return null;
  return news.waiting ? (
    <span
      aria-hidden
      title={text}
      className="min-w-0 truncate rounded-full border border-line-strong bg-surface px-3 py-0.5 text-xs font-medium text-ink"
    >
      {text}
    </span>
  ) : (
    <button
      type="button"
      onClick={onShow}
      className="inline-flex shrink-0 items-center gap-1.5 rounded-full bg-accent px-3 py-0.5 text-xs font-semibold text-accent-ink focus-visible:outline-offset-[-3px] focus-visible:outline-accent-ink"
    >
      <ArrowUp size={13} aria-hidden />
      {text}
    </button>
  );
}

/** The pill where there is no list that it could stand in the head of. */
export function LonePill(props: NewPillProps) {
  return (
    <div className="absolute inset-x-0 top-2 flex justify-center">
      <NewPill {...props} />
    </div>
  );
}

/** Stands outside the list, which comes and goes: a region that is new is not read out. */
export function NewReadOut(news: News) {
  const readOut = useSeldom(textOf(news), readOutPeriod);
  return (
    <span role="status" className="sr-only">
      {readOut}
    </span>
  );
}

/** The columns with the pill in the head of the first of `wide` that is shown. */
export function withPill(columns: readonly Column[], wide: readonly string[], pill: NewPillProps): readonly Column[] {
  const [at] = [
    ...wide.flatMap((id) => columns.filter((column) => column.id === id)),
    ...columns.filter((column) => !column.quiet && !column.sorts),
    ...columns.slice(-1),
  ];
  if (!textOf(pill)) return columns;
  return columns.map((column) =>
    column === at
      ? {
          ...column,
          head: (
            <span className="flex items-center gap-2">
              <span className="shrink-0">{column.title}</span>
              <NewPill {...pill} />
            </span>
          ),
        }
      : column,
  );
}

function textOf({ count, more, waiting = 0, waitingMore = false }: News): string {
  if (waiting > 0) return `${many(waiting, waitingMore)} changed while paused`;
  return count > 0 ? `${many(count, more)} new` : '';
}

function many(count: number, more: boolean): string {
  return `${count.toLocaleString('en')}${more ? '+' : ''}`;
}
