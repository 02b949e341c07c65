// Tends what the rows of the list show: what is near the view is kept, what comes
// into view is read, and what is far away is let go.
import { useApolloClient } from '@apollo/client/react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { createPace, type Pace } from '../../live/pace';
import type { Queue } from './queue';
import { type Row, RowData } from './rowData';

/** Rows above and below those in view whose data is kept. */
export const nearby = 200;
/** Held rows whose data is kept. */
export const mostHeld = 500;
/** New rows behind the pill, and rows at the list's top, whose data is kept. */
export const ready = 100;
const tendPeriod = 150;
/** After how long rows that could not be read are asked for again, ms. */
export const wantAgain = 2_000;

interface RowDataOptions {
  queue: Queue;
  /** Alerts that have come and are not in the queue yet. */
  coming(): readonly string[];
  /** Alerts that are kept wherever the list is scrolled to, the most important ones first. */
  held: readonly string[];
  /** Whether the risk of hosts and users is asked for too. */
  risk: boolean;
  /** Hears of alerts that are no longer there. */
  onMissing(ids: readonly string[]): void;
}

interface RowDataOfList {
  rows: RowData;
  /** Tells which rows are in view: their data is read where it is not at hand. */
  show(first: number, last: number): void;
  /** Gives the alerts of `ids` that are still there, however far from view. */
  read(ids: readonly string[]): Promise<Row[]>;
}

export function useRowData(options: RowDataOptions): RowDataOfList {
  const client = useApolloClient();
  const latest = useRef(options);
  latest.current = options;
  const [rows] = useState(() => new RowData(client, (ids) => latest.current.onMissing(ids)));
  const view = useRef({ first: 0, last: 0 });
  const tending = useRef<Pace | null>(null);

  useEffect(() => {
    // One wait however often it fails: changes of the list must not ask a server that is away.
    let waiting: ReturnType<typeof setTimeout> | undefined;
    let stopped = false;
    rows.open();
    const wait = () => {
      if (stopped) return;
      waiting ??= setTimeout(() => {
        waiting = undefined;
        made.request();
      }, wantAgain);
    };
    const made = createPace(() => {
      const { queue, risk } = latest.current;
      const { first, last } = view.current;
      if (waiting === undefined) rows.want(queue.ids.slice(first, last + 1), risk).catch(wait);
      rows.keepOnly(near(latest.current, first, last));
    }, tendPeriod);
    tending.current = made;
    return () => {
      stopped = true;
      clearTimeout(waiting);
      made.stop();
      tending.current = null;
      rows.close();
    };
  }, [rows]);

  // Once the rows stand where they belong: their data must not go before that.
  // biome-ignore lint/correctness/useExhaustiveDependencies: other rows need other data
  useEffect(() => tending.current?.request(), [options.queue]);

  const show = useCallback((first: number, last: number) => {
    view.current = { first, last };
    tending.current?.request();
  }, []);
  const read = useCallback((ids: readonly string[]) => rows.read(ids), [rows]);
  return { rows, show, read };
}

/** The alerts whose data is kept while the rows from `first` to `last` are in view. */
function near({ queue, coming, held }: RowDataOptions, first: number, last: number): Set<string> {
  const { ids, arrived } = queue;
  return new Set([
    ...ids.slice(0, ready),
    ...ids.slice(Math.max(0, first - nearby), last + nearby + 1),
    ...[...arrived.keys()].slice(-ready),
    ...coming(),
    ...held.slice(0, mostHeld),
  ]);
}
