// The incidents that match, kept right by the feed. They are few: what changed
// is read again whole.
import { useApolloClient } from '@apollo/client/react';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { IncidentFilter } from '../../gql/schema';
import { useFeed } from '../../live/useFeed';
import { type IncidentCardFragment, IncidentListDocument, IncidentListFeedDocument } from './IncidentList.generated';

const pageSize = 100;

interface Loaded {
  incidents: readonly IncidentCardFragment[];
  position: string | null;
  endCursor: string | null;
  hasMore: boolean;
  loading: boolean;
  error: unknown;
  key: string;
}

const nothing: Loaded = {
  incidents: [],
  position: null,
  endCursor: null,
  hasMore: false,
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
      setState((was) => ({ ...(was.key === key ? was : { ...nothing, key }), loading: true, error: null }));
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
          incidents: after === null ? nodes : [...was.incidents, ...nodes],
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
      setState((was) => {
        const now = new Map(was.incidents.map((incident) => [incident.id, incident]));
        for (const { change, item } of entries) {
          if (change === 'LEFT') now.delete(item.id);
          else now.set(item.id, item);
        }
        const incidents = [...now.values()].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
        return { ...was, incidents };
      }),
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
  };
}
