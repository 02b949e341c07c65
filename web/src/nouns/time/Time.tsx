// Times that keep up with the clock. One timer serves them all, and an element
// is drawn again only when its text changes.
import { useSyncExternalStore } from 'react';
import { formatAgo, formatBoth, formatClock, formatSpan } from './time';

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    for (const each of listeners) each();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

interface TimeProps {
  at: string;
  /** ago: "5m ago". age: "5m". clock: time of day. */
  as?: 'ago' | 'age' | 'clock';
  className?: string;
}

export function Time({ at, as = 'ago', className }: TimeProps) {
  const text = useSyncExternalStore(subscribe, () => {
    const now = Date.now();
    if (as === 'clock') return formatClock(at, now);
    return as === 'age' ? formatSpan(now - Date.parse(at)) : formatAgo(at, now);
  });
  return (
    <time dateTime={at} title={formatBoth(at)} className={className}>
      {text}
    </time>
  );
}
