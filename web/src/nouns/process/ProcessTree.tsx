// What started what around an event: a tree to look at, and to walk with the
// arrow keys.

import { useQuery } from '@apollo/client/react';
import clsx from 'clsx';
import { type KeyboardEvent, useRef, useState } from 'react';
import { legible } from '../../ui/legible';
import { ErrorState, Skeleton } from '../../ui/States';
import { Time } from '../time/Time';
import { ProcessTreeDocument } from './ProcessTree.generated';
import { type Branch, childrenOf, visible } from './tree';

export function ProcessTree({ event }: { event: string }) {
  const { data, error, refetch } = useQuery(ProcessTreeDocument, { variables: { event } });
  if (error && !data) {
    return (
      <ErrorState
        title="The processes cannot be loaded"
        error={error}
        onRetry={() => void refetch().catch(() => undefined)}
      />
    );
  }
  if (!data) return <Skeleton className="h-40" />;
  if (!data.processTree || data.processTree.processes.length === 0) {
    return <p className="text-muted">No processes are known around this event.</p>;
  }
  return (
    <>
      <Tree processes={data.processTree.processes} />
      {data.processTree.truncated && (
        <p className="mt-2 text-xs text-muted">The host reported more processes than are read here.</p>
      )}
    </>
  );
}

interface Shown extends Branch {
  image: string;
  command: string;
  user: string;
  pid: number | null;
  startedAt: string | null;
  focus: boolean;
}

export function Tree({ processes }: { processes: readonly Shown[] }) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [at, setAt] = useState(() => processes.find((p) => p.focus)?.key ?? processes[0]?.key ?? '');
  const box = useRef<HTMLDivElement>(null);
  const children = childrenOf(processes);
  const rows = visible(processes, closed);
  const go = (key: string | null | undefined) => {
    if (!key) return;
    setAt(key);
    const items = box.current?.querySelectorAll<HTMLElement>('[data-key]') ?? [];
    [...items].find((item) => item.dataset.key === key)?.focus();
  };
  const toggle = (key: string, open: boolean) =>
    setClosed((was) => {
      const next = new Set(was);
      if (open) next.delete(key);
      else next.add(key);
      return next;
    });
  const onKeyDown = (event: KeyboardEvent) => {
    const index = rows.findIndex((row) => row.key === at);
    const row = rows[index];
    if (!row) return;
    const parent = children.has(at);
    if (event.key === 'ArrowDown') go(rows[index + 1]?.key);
    else if (event.key === 'ArrowUp') go(rows[index - 1]?.key);
    else if (event.key === 'Home') go(rows[0]?.key);
    else if (event.key === 'End') go(rows.at(-1)?.key);
    else if (event.key === 'ArrowRight' && parent) {
      if (closed.has(at)) toggle(at, true);
      else go(children.get(at)?.[0]);
    } else if (event.key === 'ArrowLeft') {
      if (parent && !closed.has(at)) toggle(at, false);
      else go(row.parent);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div ref={box} role="tree" aria-label="Process tree" onKeyDown={onKeyDown} className="overflow-x-auto text-xs">
      {rows.map((process) => (
        <div
          key={process.key}
          role="treeitem"
          data-key={process.key}
          aria-level={process.depth + 1}
          aria-expanded={children.has(process.key) ? !closed.has(process.key) : undefined}
          aria-selected={process.key === at}
          tabIndex={process.key === at ? 0 : -1}
          onFocus={() => setAt(process.key)}
          className={clsx('flex min-w-max rounded py-1 pr-2', process.focus ? 'bg-accent-soft' : 'hover:bg-hover')}
        >
          {Array.from({ length: process.depth }, (_, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines are all alike
            <span key={i} aria-hidden className="ml-2.5 w-3 shrink-0 border-l border-line-strong" />
          ))}
          <button
            type="button"
            tabIndex={-1}
            aria-hidden
            onClick={() => children.has(process.key) && toggle(process.key, closed.has(process.key))}
            className="w-5 shrink-0 text-faint"
          >
            {children.has(process.key) ? (closed.has(process.key) ? '▸' : '▾') : '·'}
          </button>
          <div>
            <div className="flex flex-wrap items-baseline gap-x-2">
              <span className="font-semibold" title={legible(process.image)}>
                {legible(nameOf(process.image))}
              </span>
              {process.pid !== null && <span className="text-faint tabular-nums">{process.pid}</span>}
              <span className="text-muted">{legible(process.user)}</span>
              {process.startedAt && (
                <span className="text-faint">
                  <Time at={process.startedAt} as="clock" />
                </span>
              )}
              {process.focus && <span className="font-medium text-accent">this event</span>}
            </div>
            {process.command && (
              <code className="block max-w-[42rem] font-mono break-all whitespace-pre-wrap text-muted">
                {legible(process.command)}
              </code>
            )}
          </div>
        </div>
      ))}
    </div>
  );
}

/** The last part of a path: powershell.exe. */
function nameOf(image: string): string {
  return image.split(/[\\/]/).at(-1) || image || 'unknown';
}
