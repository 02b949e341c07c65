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
import type { Row } from './rowData';
import { useRowData } from './useRowData';

const pageSize = 50;
/** Rows that are kept when the list is scrolled to its top. */
const mostRows = 1_000;
/** Rows show their changes with the next frame; where they stand changes no more often than this, ms. */
const placePeriod = 500;
/** How often a list of the last minutes or hours is looked through for what has aged out of it, ms. */
const agePeriod = 10_000;

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
  const latest = useRef({ calm, within, now, filter, order, risk, key, state });
  latest.current = { calm, within, now, filter, order, risk, key, state };
  const asked = useRef(0);

  // Lets the feed begin again where its position is the old one, see load.
  const beginAgain = useRef(() => {});
  // What came since the rows were last put in their places.
  const unplaced = useRef<FeedEntry<Placed>[]>([]);
  // What came while a further page is on its way, of rows that it may hold.
  const meanwhile = useRef<Map<string, FeedEntry<Row>> | null>(null);
  // When the alerts were last seen, where that decides whether they belong in the list.
  const lastSeen = useRef(new Map<string, number>());
  const { rows, show, read } = useRowData({
    queue: state.queue,
    coming: () => unplaced.current.map(({ item }) => item.id),
    held,
    risk,
    onMissing: (ids) => setState((was) => ({ ...was, queue: remove(was.queue, ids) })),
  });

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
        // The feed begins again from where the list was read: what it has said since then comes once more.
        if (mode === 'anew') {
          unplaced.current = [];
          if (position === latest.current.state.position) beginAgain.current();
        }
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
    // What is still on its way is of a list that nobody looks at.
    return () => void asked.current++;
  }, [key, load]);

  const settle = useCallback(() => {
    const { queue, loading } = latest.current.state;
    // Too many came to keep them apart: the list is read anew, after what is being read.
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
  beginAgain.current = feed.restart;

  const settled = isSettled(state.queue);
  // Too many came while a page was on its way, and nothing more may come: settle must be tried once more.
  const due = state.queue.overflowed && !state.loading && state.failed !== 'anew';
  // biome-ignore lint/correctness/useExhaustiveDependencies: `due` is a reason to try again
  useEffect(() => {
    if (calm && !settled) settle();
  }, [calm, settled, settle, due]);

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
  const adrift = queue.ids.length > 0 && pageEnds.length === 0;
  // All that was loaded has left or aged out: there is no row to scroll to the next page from.
  const drained = queue.ids.length === 0;
  const lost = queue.hasMore && (adrift || drained) && !loading && !state.error;
  useEffect(() => {
    if (lost) void load('anew');
  }, [lost, load]);
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
