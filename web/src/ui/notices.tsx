// Short messages about what was done or could not be done. They are read out,
// and stay until they are dismissed when something went wrong.
import { X } from 'lucide-react';
import { useEffect, useSyncExternalStore } from 'react';
import { Banner } from './Banner';
import { IconButton } from './Button';
import { legible } from './legible';

export interface Notice {
  id: number;
  tone: 'warn' | 'error' | 'info';
  text: string;
}

const shownFor = 5_000;
const most = 4;
let notices: readonly Notice[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function set(next: readonly Notice[]): void {
  notices = next;
  for (const listener of listeners) listener();
}

export function notify(tone: Notice['tone'], text: string): void {
  set([...notices.filter((n) => n.text !== text), { id: nextId++, tone, text }].slice(-most));
}

function dismiss(id: number): void {
  set(notices.filter((n) => n.id !== id));
}

export function Notices() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notices,
  );
  return (
    <div className="pointer-events-none fixed bottom-4 left-1/2 z-50 flex w-[min(32rem,calc(100vw-2rem))] -translate-x-1/2 flex-col gap-2">
      {shown.map((notice) => (
        <Toast key={notice.id} notice={notice} />
      ))}
    </div>
  );
}

function Toast({ notice }: { notice: Notice }) {
  useEffect(() => {
    if (notice.tone !== 'info') return;
    const timer = setTimeout(() => dismiss(notice.id), shownFor);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <Banner
      tone={notice.tone}
      className="pointer-events-auto items-center rounded-lg border border-line-strong shadow-pop"
    >
      <div className="flex items-center gap-2">
        <span className="grow">{legible(notice.text)}</span>
        <IconButton icon={X} label="Dismiss" className="size-6" onClick={() => dismiss(notice.id)} />
      </div>
    </Banner>
  );
}
