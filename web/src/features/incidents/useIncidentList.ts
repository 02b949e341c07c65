// The incidents that match, kept right by the feed. They are few: what changed
// is read again whole.
import { useApolloClient } from '@apollo/client/react';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { IncidentFilter } from '../../gql/schema';
import { useFeed } from '../../live/useFeed';
import { type IncidentCardFragment, IncidentListDocument, IncidentListFeedDocument } from './IncidentList.generated';
import { appendPage, applyChanges } from './list';

const pageSize = 100;

interface Loaded {
  incidents: readonly IncidentCardFragment[];
  position: string | null;
  endCursor: string | null;
  hasMore: boolean;
  /** When the last one was created that was read, and after which cursor was asked last. */
  end: string | null;
  after: string | null;
  loading: boolean;
  error: unknown;
  key: string;
}

const nothing: Loaded = {
  incidents: [],
  position: null,
  endCursor: null,
  hasMore: false,
  end: null,
  after: null,
  loading: true,
  error: null,
  key: '',
};

export function useIncidentList(filter: IncidentFilter) {
  const client = useApolloClient();
  const key = JSON.stringify(filter);
  const [state, setState] = useState(nothing);
  const latest = useRef(filter);
  latest.current = filter;
  const asked = useRef(0);

  const load = useCallback(
    async (after: string | null) => {
      const turn = ++asked.current;
      const key = JSON.stringify(latest.current);
      setState((was) => ({ ...(was.key === key ? was : { ...nothing, key }), after, loading: true, error: null }));
      try {
        const { data } = await client.query({
          query: IncidentListDocument,
          variables: { filter: latest.current, first: pageSize, after },
          fetchPolicy: 'no-cache',
        });
        if (turn !== asked.current || !data) return;
        const { nodes, pageInfo, position } = data.incidents;
        setState((was) => ({
          ...was,
          incidents: after === null ? nodes : appendPage(was.incidents, nodes),
          end: nodes.at(-1)?.createdAt ?? was.end,
          position: after === null ? position : was.position,
          endCursor: pageInfo.endCursor,
          hasMore: pageInfo.hasNextPage,
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
    void load(null);
  }, [key, load]);

  const feed = useFeed({
    document: IncidentListFeedDocument,
    variables: { filter },
    after: state.key === key ? state.position : null,
    read: (data) =>
      data.incidentFeed.entries.map((e) => ({ change: e.change, item: e.incident as IncidentCardFragment })),
    idOf: (incident) => incident.id,
    onFlush: (entries) =>
      setState((was) => ({
        ...was,
        incidents: applyChanges(was.incidents, entries, was.hasMore ? was.end : null),
      })),
    onResync: () => void load(null),
  });

  return {
    ...state,
    error: state.error ?? feed.error,
    loadMore: () => {
      if (state.hasMore && !state.loading && !state.error) void load(state.endCursor);
    },
    reload: () => {
      if (feed.error) feed.restart();
      void load(null);
    },
    /** Asks again for the page that did not come. */
    retry: () => {
      if (feed.error) feed.restart();
      void load(state.error ? state.after : null);
    },
  };
}
