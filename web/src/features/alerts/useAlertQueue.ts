// The list of alerts that match, kept right by the feed. Rows do not move while
// somebody looks at one: `calm` says when they may.
import { useApolloClient } from '@apollo/client/react';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { AlertFilter, AlertOrder } from '../../gql/schema';
import { createPace, type Pace } from '../../live/pace';
import { type FeedEntry, useFeed } from '../../live/useFeed';
import { AlertQueueDocument, AlertQueueFeedDocument } from './AlertQueue.generated';
import { placeOf } from './order';
import {
  appendPage,
  applyEntries,
  compare,
  emptyQueue,
  isSettled,
  type Placed,
  type Queue,
  release,
  remove,
} from './queue';
import { type Row, RowData } from './rowData';

const pageSize = 50;
/** Rows that are kept when the list is scrolled to its top. */
const mostRows = 1_000;
/** Rows show their changes with the next frame; where they stand changes no more often than this, ms. */
const placePeriod = 500;
/** Rows above and below those in view whose data is kept. */
const nearby = 200;
/** Selected rows whose data is kept. */
const mostHeld = 500;
/** New rows behind the pill, and rows at the list's top, whose data is kept. */
const ready = 100;
const tendPeriod = 150;
/** How often a list of the last minutes or hours is looked through for what has aged out of it, ms. */
const agePeriod = 10_000;
/** After how long rows that could not be read are asked for again. */
const wantAgain = 2_000;

interface AlertQueueOptions {
  filter: AlertFilter;
  order: AlertOrder;
  /** Whether the risk of hosts and users is asked for too. */
  risk: boolean;
  paused: boolean;
  /** Whether rows may move now: nobody points at one, and the top is in view. */
  calm: boolean;
  /** Alerts that must stay known wherever the list is scrolled to: the one that is open, the active one, those selected. */
  held: readonly string[];
  /** Only alerts seen in so many ms before now belong in the list: others age out without a word of the feed. */
  within?: number | null;
  now?: () => number;
}

export interface AlertQueue extends Queue {
  loading: boolean;
  error: unknown;
  /** What waits while paused. */
  waiting: number;
  /** More have come than can wait. */
  waitingOverflowed: boolean;
  total: number;
  totalIsEstimate: boolean;
  showNew(): void;
  /** Takes the rows away that no longer match; nothing else moves. */
  dropGone(): void;
  loadMore(): void;
  /** Tries again what failed: a further page alone, the list, or the feed. */
  retry(): void;
  /** Tells which rows are in view: their data is read where it is not at hand. */
  show(first: number, last: number): void;
  /** Gives the alerts of `ids` that are still there, however far from view. */
  read(ids: readonly string[]): Promise<Row[]>;
}

interface Loaded {
  key: string;
  queue: Queue;
  position: string | null;
  /** Where each page that was read ended, and the place of that last row. */
  pageEnds: readonly { cursor: string; place: string }[];
  total: number;
  totalIsEstimate: boolean;
  loading: boolean;
  error: unknown;
  /** What the error is of. */
  failed: 'anew' | 'further' | null;
}

const nothing: Loaded = {
  key: '',
  queue: emptyQueue,
  position: null,
  pageEnds: [],
  total: 0,
  totalIsEstimate: false,
  loading: true,
  error: null,
  failed: null,
};

export function useAlertQueue({
  filter,
  order,
  risk,
  paused,
  calm,
  held,
  within = null,
  now = Date.now,
}: AlertQueueOptions): AlertQueue {
  const client = useApolloClient();
  const key = JSON.stringify([filter, order, risk]);
  const [state, setState] = useState(nothing);
  const latest = useRef({ calm, held, within, now, filter, order, risk, key, state });
  latest.current = { calm, held, within, now, filter, order, risk, key, state };
  const asked = useRef(0);

  const [rows] = useState(
    () => new RowData(client, (ids) => setState((was) => ({ ...was, queue: remove(was.queue, ids) }))),
  );
  // What came since the rows were last put in their places.
  const unplaced = useRef<FeedEntry<Placed>[]>([]);
  // What came while a further page is on its way, of rows that it may hold.
  const meanwhile = useRef<Map<string, FeedEntry<Row>> | null>(null);
  // When the alerts were last seen, where that decides whether they belong in the list.
  const lastSeen = useRef(new Map<string, number>());
  const view = useRef({ first: 0, last: 0 });
  const tending = useRef<Pace | null>(null);
  useEffect(() => {
    const made = createPace(() => {
      const { held, risk, state } = latest.current;
      const { ids, arrived } = state.queue;
      const { first, last } = view.current;
      rows.want(ids.slice(first, last + 1), risk).catch(() => setTimeout(() => made.request(), wantAgain));
      rows.keepOnly(
        new Set([
          ...ids.slice(0, ready),
          ...ids.slice(Math.max(0, first - nearby), last + nearby),
          ...[...arrived.keys()].slice(-ready),
          ...unplaced.current.map(({ item }) => item.id),
          ...held.slice(0, mostHeld),
        ]),
      );
    }, tendPeriod);
    tending.current = made;
    return () => {
      made.stop();
      rows.close();
    };
  }, [rows]);
  const show = useCallback((first: number, last: number) => {
    view.current = { first, last };
    tending.current?.request();
  }, []);

  const read = useCallback((ids: readonly string[]) => rows.read(ids), [rows]);

  const load = useCallback(
    async (mode: 'anew' | 'further', after: string | null = null) => {
      const turn = ++asked.current;
      const { filter, order, risk, key, within } = latest.current;
      const said = new Map<string, FeedEntry<Row>>();
      meanwhile.current = mode === 'further' ? said : null;
      setState((was) => ({ ...(was.key === key ? was : nothing), key, loading: true, error: null, failed: null }));
      try {
        const { data } = await client.query({
          query: AlertQueueDocument,
          variables: { filter, order, risk, first: pageSize, after },
          fetchPolicy: 'no-cache',
        });
        if (turn !== asked.current || !data) return;
        const { nodes, pageInfo, position, totalCount, totalCountIsEstimate } = data.alerts;
        const page = asSaid(nodes as readonly Row[], said);
        rows.write(page);
        if (mode === 'anew') lastSeen.current = new Map();
        if (within) for (const alert of page) lastSeen.current.set(alert.id, Date.parse(alert.lastSeen));
        const placed = page.map((alert) => ({ id: alert.id, place: placeOf(alert, order) }));
        // Where the page ended when it was read, whatever has become of its last row.
        const last = nodes.at(-1);
        const floor = last && placeOf(last, order);
        // The feed begins again from where the list was read.
        if (mode === 'anew') unplaced.current = [];
        setState((was) => ({
          ...was,
          queue: appendPage(mode === 'anew' ? emptyQueue : was.queue, placed, pageInfo.hasNextPage, floor),
          // The feed goes on from the first page's position: later pages are newer than that.
          position: mode === 'anew' ? position : was.position,
          pageEnds: [
            ...(mode === 'anew' ? [] : was.pageEnds),
            ...(pageInfo.endCursor ? [{ cursor: pageInfo.endCursor, place: floor ?? '' }] : []),
          ],
          total: totalCount,
          totalIsEstimate: totalCountIsEstimate,
          loading: false,
        }));
      } catch (error) {
        if (turn === asked.current) setState((was) => ({ ...was, loading: false, error, failed: mode }));
      } finally {
        if (meanwhile.current === said) meanwhile.current = null;
      }
    },
    [client, rows],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter is another list
  useEffect(() => {
    load('anew');
  }, [key, load]);

  const settle = useCallback(() => {
    const { queue, loading } = latest.current.state;
    // Too many came to keep them apart: the list is read anew.
    if (queue.overflowed) {
      if (!loading) void load('anew');
      return;
    }
    setState((was) => {
      if (was.queue.overflowed) return was;
      const released = release(was.queue, mostRows);
      const { within, now } = latest.current;
      const aged = within ? released.ids.filter((id) => (lastSeen.current.get(id) ?? now()) < now() - within) : [];
      const queue = aged.length > 0 ? remove(released, aged) : released;
      return { ...was, queue, pageEnds: was.pageEnds.filter((end) => compare(end.place, queue.floor) >= 0) };
    });
  }, [load]);

  const dropGone = useCallback(
    () => setState((was) => ({ ...was, queue: remove(was.queue, [...was.queue.gone]) })),
    [],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter is another list
  useEffect(() => {
    unplaced.current = [];
  }, [key]);
  const pace = useRef<Pace | null>(null);
  useEffect(() => {
    const made = createPace(() => {
      const entries = unplaced.current;
      unplaced.current = [];
      setState((was) => ({ ...was, queue: applyEntries(was.queue, entries) }));
      if (latest.current.calm) settle();
    }, placePeriod);
    pace.current = made;
    return made.stop;
  }, [settle]);

  const feed = useFeed({
    document: AlertQueueFeedDocument,
    variables: { filter, risk },
    after: state.key === key ? state.position : null,
    paused,
    read: (data) => data.alertFeed.entries.map((e) => ({ change: e.change, item: e.alert as Row })),
    idOf: (alert) => alert.id,
    onFlush: (entries, cache) => {
      for (const { change, item } of entries) {
        if (latest.current.within && change !== 'LEFT') lastSeen.current.set(item.id, Date.parse(item.lastSeen));
        rows.update(cache, item, change === 'ENTERED');
        meanwhile.current?.set(item.id, { change, item });
        unplaced.current.push({ change, item: { id: item.id, place: placeOf(item, latest.current.order) } });
      }
      pace.current?.request();
    },
    onResync: () => load('anew'),
  });

  // Once the rows stand where they belong: their data must not go before that.
  // biome-ignore lint/correctness/useExhaustiveDependencies: other rows need other data
  useEffect(() => tending.current?.request(), [state.queue]);

  const settled = isSettled(state.queue);
  useEffect(() => {
    if (calm && !settled) settle();
  }, [calm, settled, settle]);

  useEffect(() => {
    if (!calm || !within) return;
    const timer = setInterval(() => {
      const { seen, arrived } = latest.current.state.queue;
      const coming = new Set(unplaced.current.map(({ item }) => item.id));
      for (const id of lastSeen.current.keys()) {
        if (!seen.has(id) && !arrived.has(id) && !coming.has(id)) lastSeen.current.delete(id);
      }
      settle();
    }, agePeriod);
    return () => clearInterval(timer);
  }, [calm, within, settle]);

  const { pageEnds, loading, queue } = state;
  // What came in has pushed the end of the first page out: there is no cursor to go on from.
  const adrift = queue.hasMore && queue.ids.length > 0 && pageEnds.length === 0 && !loading && !state.error;
  useEffect(() => {
    if (adrift) void load('anew');
  }, [adrift, load]);
  return {
    ...queue,
    loading,
    error: state.error ?? feed.error,
    waiting: feed.waiting,
    waitingOverflowed: feed.overflowed,
    total: state.total,
    totalIsEstimate: state.totalIsEstimate,
    showNew: settle,
    dropGone,
    show,
    read,
    loadMore: () => {
      if (!loading && queue.hasMore && !state.error) load('further', pageEnds.at(-1)?.cursor ?? null);
    },
    retry: () => {
      if (feed.error) feed.restart();
      const end = pageEnds.at(-1);
      if (state.failed === 'further' && end) void load('further', end.cursor);
      else void load('anew');
    },
  };
}

/** A page as it is by now: without what left while it was on its way, and each alert in its newest version. */
function asSaid(page: readonly Row[], said: ReadonlyMap<string, FeedEntry<Row>>): readonly Row[] {
  return page.flatMap((alert) => {
    const entry = said.get(alert.id);
    if (!entry || entry.item.version < alert.version) return [alert];
    return entry.change === 'LEFT' ? [] : [entry.item];
  });
}
