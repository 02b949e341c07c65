// The rules that match, by title, page after page. No feed carries them: they are
// read again now and then, and their counts after alerts have changed.
import { useApolloClient } from '@apollo/client/react';
import { useState } from 'react';
import { usePages } from '../../api/usePages';
import type { RuleFilter, RuleOrder } from '../../gql/schema';
import { usePulse } from '../../live/pulse';
import { useEvery } from '../../ui/useEvery';
import { RuleListDocument } from './RuleList.generated';
import { RuleRowFragmentDoc } from './RuleRow.generated';

const pageSize = 200;
const refreshPeriod = 10_000;
const none: readonly string[] = [];

export function useRuleList(filter: RuleFilter, orderBy: RuleOrder) {
  const client = useApolloClient();
  const [total, setTotal] = useState(0);
  const pages = usePages({
    key: JSON.stringify([filter, orderBy]),
    read: async (first, after) => {
      const { data } = await client.query({
        query: RuleListDocument,
        variables: { filter, orderBy, first, after },
        fetchPolicy: 'no-cache',
      });
      if (!data) return { items: none, next: null };
      const { nodes, pageInfo, totalCount } = data.rules;
      client.cache.batch({
        update: (cache) => {
          for (const rule of nodes) cache.writeFragment({ fragment: RuleRowFragmentDoc, data: rule });
        },
      });
      setTotal(totalCount);
      return { items: nodes.map((rule) => rule.id), next: pageInfo.hasNextPage ? pageInfo.endCursor : null };
    },
    idOf: (id) => id,
    size: pageSize,
  });
  usePulse(pages.refresh, refreshPeriod);
  useEvery(refreshPeriod, pages.refresh);
  return {
    ids: pages.items ?? none,
    total,
    loading: pages.loading,
    error: pages.error,
    loadMore: pages.more,
    retry: pages.retry,
    refresh: pages.refresh,
  };
}
