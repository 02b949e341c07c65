// The events that match, followed live. Events never change, so that the list
// holds them itself.
import { useApolloClient } from '@apollo/client/react';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { EventFilter } from '../../gql/schema';
import { useFeed } from '../../live/useFeed';
import { EventListDocument, EventListFeedDocument } from './EventList.generated';
import { append, emptyTail, prepend, type Tail, type TailEvent } from './tail';

const pageSize = 50;
const mostLive = 1_000;
const mostWaiting = 2_000;

interface Loaded {
  key: string;
  tail: Tail;
  position: string | null;
  /** Where each page that was read ended. */
  pageEnds: readonly { cursor: string; id: string }[];
  loading: boolean;
  error: unknown;
}

const nothing: Loaded = { key: '', tail: emptyTail, position: null, pageEnds: [], loading: true, error: null };

export interface EventTail extends Tail {
  loading: boolean;
  error: unknown;
  waiting: number;
  /** More have come than can wait. */
  overflowed: boolean;
  loadMore(): void;
  reload(): void;
}

/**
 * `more`: ask for what only chosen columns show, too. `hold`: gather what comes and
 * show it later, so that the rows stand still.
 */
export function useEventTail(filter: EventFilter, more: boolean, hold: boolean): EventTail {
  const client = useApolloClient();
  const key = JSON.stringify([filter, more]);
  const [state, setState] = useState(nothing);
  const latest = useRef({ filter, more, key });
  latest.current = { filter, more, key };
  const asked = useRef(0);

  const load = useCallback(
    async (mode: 'anew' | 'further', after: string | null = null) => {
      const turn = ++asked.current;
      const { filter, more, key } = latest.current;
      setState((was) => ({ ...(was.key === key ? was : nothing), key, loading: true, error: null }));
      try {
        const { data } = await client.query({
          query: EventListDocument,
          variables: { filter, more, first: pageSize, after },
          fetchPolicy: 'no-cache',
        });
        if (turn !== asked.current || !data) return;
        const { nodes, pageInfo, position } = data.events;
        const last = nodes.at(-1);
        const end = pageInfo.endCursor && last ? [{ cursor: pageInfo.endCursor, id: last.id }] : [];
        setState((was) => ({
          ...was,
          tail: append(mode === 'anew' ? emptyTail : was.tail, nodes as readonly TailEvent[], pageInfo.hasNextPage),
          position: mode === 'anew' ? position : was.position,
          pageEnds: [...(mode === 'anew' ? [] : was.pageEnds), ...end],
          loading: false,
        }));
      } catch (error) {
        if (turn === asked.current) setState((was) => ({ ...was, loading: false, error }));
      }
    },
    [client],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter is another list
  useEffect(() => {
    load('anew');
  }, [key, load]);

  const feed = useFeed({
    document: EventListFeedDocument,
    variables: { filter, more },
    after: state.key === key ? state.position : null,
    paused: hold,
    bound: mostWaiting,
    read: (data) => data.eventFeed.events.map((e) => ({ change: 'ENTERED' as const, item: e as TailEvent })),
    idOf: (event) => event.id,
    onFlush: (entries) =>
      setState((was) => {
        const kept = Math.max(mostLive, was.pageEnds.length > 10 ? was.tail.events.length : 0);
        const tail = prepend(
          was.tail,
          entries.map((e) => e.item),
          kept,
        );
        return { ...was, tail, pageEnds: was.pageEnds.filter((end) => tail.ids.has(end.id)) };
      }),
    onResync: () => load('anew'),
  });

  const { tail, pageEnds, loading, error } = state;
  // What came in has pushed the end of the first page out: there is no cursor to go on from.
  const adrift = tail.hasMore && tail.events.length > 0 && pageEnds.length === 0 && !loading && !error;
  useEffect(() => {
    if (adrift) void load('anew');
  }, [adrift, load]);

  return {
    ...tail,
    loading,
    error: error ?? feed.error,
    waiting: feed.waiting,
    overflowed: feed.overflowed,
    loadMore: () => {
      // Without a cursor the server would give the newest page, which does not belong below the oldest.
      const end = pageEnds.at(-1);
      if (end && !loading && tail.hasMore && !error) void load('further', end.cursor);
    },
    reload: () => {
      if (feed.error) feed.restart();
      void load('anew');
    },
  };
}
