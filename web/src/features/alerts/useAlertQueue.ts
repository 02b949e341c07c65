// The list of alerts that match, kept right by the feed. Rows do not move while
// somebody looks at one: `calm` says when they may.
import type { ApolloCache } from '@apollo/client';
import { useApolloClient } from '@apollo/client/react';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { AlertFilter, AlertOrder } from '../../gql/schema';
import { useFeed } from '../../live/useFeed';
import { AlertQueueDocument, AlertQueueFeedDocument } from './AlertQueue.generated';
import {
  type AlertRiskFragment,
  AlertRiskFragmentDoc,
  type AlertRowFragment,
  AlertRowFragmentDoc,
} from './AlertRow.generated';
import { placeOf } from './order';
import { appendPage, applyEntries, emptyQueue, isSettled, type Queue, release } from './queue';

const pageSize = 50;
/** Rows that are kept when the list is scrolled to its top. */
const mostRows = 1_000;

interface AlertQueueOptions {
  filter: AlertFilter;
  order: AlertOrder;
  /** Whether the risk of hosts and users is asked for too. */
  risk: boolean;
  paused: boolean;
  /** Whether rows may move now: nobody points at one, and the top is in view. */
  calm: boolean;
  /** An alert that must stay known: it is open beside the list. */
  openId: string | null;
}

export interface AlertQueue extends Queue {
  loading: boolean;
  error: unknown;
  /** What waits while paused. */
  waiting: number;
  total: number;
  totalIsEstimate: boolean;
  showNew(): void;
  loadMore(): void;
  reload(): void;
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
}

type Row = AlertRowFragment & Partial<AlertRiskFragment>;

function write(cache: ApolloCache, alert: Row): void {
  cache.writeFragment({ fragment: AlertRowFragmentDoc, fragmentName: 'AlertRow', data: alert });
  const { __typename, id, hostAsset, userAsset } = alert;
  if (hostAsset === undefined || userAsset === undefined) return;
  cache.writeFragment({
    fragment: AlertRiskFragmentDoc,
    fragmentName: 'AlertRisk',
    data: { __typename, id, hostAsset, userAsset },
  });
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
};

export function useAlertQueue({ filter, order, risk, paused, calm, openId }: AlertQueueOptions): AlertQueue {
  const client = useApolloClient();
  const key = JSON.stringify([filter, order, risk]);
  const [state, setState] = useState(nothing);
  const latest = useRef({ calm, openId, filter, order, risk, key, state });
  latest.current = { calm, openId, filter, order, risk, key, state };
  const asked = useRef(0);

  const store = useCallback(
    (alerts: readonly Row[]) =>
      client.cache.batch({
        update: (cache) => {
          for (const alert of alerts) write(cache as ApolloCache, alert);
        },
      }),
    [client],
  );

  const load = useCallback(
    async (mode: 'anew' | 'further', after: string | null = null) => {
      const turn = ++asked.current;
      const { filter, order, risk, key } = latest.current;
      setState((was) => ({ ...(was.key === key ? was : nothing), key, loading: true, error: null }));
      try {
        const { data } = await client.query({
          query: AlertQueueDocument,
          variables: { filter, order, risk, first: pageSize, after },
          fetchPolicy: 'no-cache',
        });
        if (turn !== asked.current || !data) return;
        const { nodes, pageInfo, position, totalCount, totalCountIsEstimate } = data.alerts;
        store(nodes as readonly Row[]);
        const placed = nodes.map((alert) => ({ id: alert.id, place: placeOf(alert, order) }));
        setState((was) => ({
          ...was,
          queue: appendPage(mode === 'anew' ? emptyQueue : was.queue, placed, pageInfo.hasNextPage),
          // The feed goes on from the first page's position: later pages are newer than that.
          position: mode === 'anew' ? position : was.position,
          pageEnds: [
            ...(mode === 'anew' ? [] : was.pageEnds),
            ...(pageInfo.endCursor ? [{ cursor: pageInfo.endCursor, place: placed.at(-1)?.place ?? '' }] : []),
          ],
          total: totalCount,
          totalIsEstimate: totalCountIsEstimate,
          loading: false,
        }));
      } catch (error) {
        if (turn === asked.current) setState((was) => ({ ...was, loading: false, error }));
      }
    },
    [client, store],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter is another list
  useEffect(() => {
    load('anew');
  }, [key, load]);

  const settle = useCallback(() => {
    setState((was) => {
      const queue = release(was.queue, mostRows);
      const dropped = was.queue.ids.filter((id) => !queue.seen.has(id) && id !== latest.current.openId);
      // Outside the state change: the rows that show them must be gone first.
      if (dropped.length > 0) {
        setTimeout(() => {
          for (const id of dropped) {
            if (!latest.current.state.queue.seen.has(id)) client.cache.evict({ id: `Alert:${id}` });
          }
        }, 1_000);
      }
      const oldest = queue.seen.get(queue.ids.at(-1) ?? '') ?? '';
      return { ...was, queue, pageEnds: was.pageEnds.filter((end) => end.place >= oldest) };
    });
  }, [client]);

  const feed = useFeed({
    document: AlertQueueFeedDocument,
    variables: { filter, risk },
    after: state.key === key ? state.position : null,
    paused,
    read: (data) => data.alertFeed.entries.map((e) => ({ change: e.change, item: e.alert as Row })),
    idOf: (alert) => alert.id,
    onFlush: (entries, cache) => {
      for (const { item } of entries) write(cache, item);
      const { order } = latest.current;
      const placed = entries.map(({ change, item }) => ({
        change,
        item: { id: item.id, place: placeOf(item, order) },
      }));
      setState((was) => ({ ...was, queue: applyEntries(was.queue, placed) }));
      if (latest.current.calm) settle();
    },
    onResync: () => load('anew'),
  });

  const settled = isSettled(state.queue);
  useEffect(() => {
    if (calm && !settled) settle();
  }, [calm, settled, settle]);

  const { pageEnds, loading, queue } = state;
  return {
    ...queue,
    loading,
    error: state.error ?? feed.error,
    waiting: feed.waiting,
    total: state.total,
    totalIsEstimate: state.totalIsEstimate,
    showNew: settle,
    loadMore: () => {
      if (!loading && queue.hasMore && !state.error) load('further', pageEnds.at(-1)?.cursor ?? null);
    },
    reload: () => load('anew'),
  };
}
