// How many wait above the list, or while it is paused. It takes no room, so that
// nothing moves, and is read out now and then, not with each one that comes.
import { ArrowUp } from 'lucide-react';
import { useSeldom } from '../../ui/useSeldom';

/** ms */
const readOutPeriod = 5_000;

interface NewPillProps {
  count: number;
  /** There are more than `count`. */
  more: boolean;
  waiting: number;
  /** There are more than `waiting`. */
  waitingMore: boolean;
  onShow(): void;
}

export function NewPill({ count, more, waiting, waitingMore, onShow }: NewPillProps) {
  const text =
    waiting > 0 ? `${many(waiting, waitingMore)} changed while paused` : count > 0 ? `${many(count, more)} new` : '';
  const readOut = useSeldom(text, readOutPeriod);
  return (
    <>
      <span role="status" className="sr-only">
        {readOut}
      </span>
      <div className="pointer-events-none absolute inset-x-0 top-0.5 z-20 flex justify-center">
        {waiting > 0 ? (
          <span
            aria-hidden
            className="rounded-full border border-line-strong bg-surface px-3 py-0.5 text-xs font-medium shadow-pop"
          >
            {text}
          </span>
        ) : (
          count > 0 && (
            <button
              type="button"
              onClick={onShow}
              className="pointer-events-auto inline-flex items-center gap-1.5 rounded-full bg-accent px-3 py-0.5 text-xs font-semibold text-accent-ink shadow-pop"
            >
              <ArrowUp size={13} aria-hidden />
              {text}
            </button>
          )
        )}
      </div>
    </>
  );
}

function many(count: number, more: boolean): string {
  return `${count.toLocaleString('en')}${more ? '+' : ''}`;
}
