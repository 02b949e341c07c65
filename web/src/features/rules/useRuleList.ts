// The rules that match, by title, page after page.
import { useApolloClient } from '@apollo/client/react';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { RuleFilter } from '../../gql/schema';
import { RuleListDocument } from './RuleList.generated';
import { RuleRowFragmentDoc } from './RuleRow.generated';

const pageSize = 200;

interface Loaded {
  key: string;
  ids: readonly string[];
  endCursor: string | null;
  hasMore: boolean;
  total: number;
  loading: boolean;
  error: unknown;
}

const nothing: Loaded = { key: '', ids: [], endCursor: null, hasMore: false, total: 0, loading: true, error: null };

export function useRuleList(filter: RuleFilter) {
  const client = useApolloClient();
  const key = JSON.stringify(filter);
  const [state, setState] = useState(nothing);
  const latest = useRef({ filter, key });
  latest.current = { filter, key };
  const asked = useRef(0);

  const load = useCallback(
    async (after: string | null) => {
      const turn = ++asked.current;
      const { key } = latest.current;
      // The same list read anew keeps its rows until the new ones are there.
      setState((was) => ({ ...(was.key === key ? was : nothing), key, loading: true, error: null }));
      try {
        const { data } = await client.query({
          query: RuleListDocument,
          variables: { filter: latest.current.filter, first: pageSize, after },
          fetchPolicy: 'no-cache',
        });
        if (turn !== asked.current || !data) return;
        const { nodes, pageInfo, totalCount } = data.rules;
        client.cache.batch({
          update: (cache) => {
            for (const rule of nodes) cache.writeFragment({ fragment: RuleRowFragmentDoc, data: rule });
          },
        });
        setState((was) => ({
          key: was.key,
          ids: [...(after === null ? [] : was.ids), ...nodes.map((n) => n.id)],
          endCursor: pageInfo.endCursor,
          hasMore: pageInfo.hasNextPage,
          total: totalCount,
          loading: false,
          error: null,
        }));
      } catch (error) {
        if (turn === asked.current) setState((was) => ({ ...was, loading: false, error }));
      }
    },
    [client],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter is another list
  useEffect(() => {
    load(null);
  }, [key, load]);

  return {
    ...state,
    loadMore: () => {
      if (state.hasMore && !state.loading && !state.error) load(state.endCursor);
    },
    reload: () => load(null),
  };
}
