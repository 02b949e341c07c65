// A list that a connection of the API gives page by page.
import type { OperationVariables } from '@apollo/client';
import { useApolloClient } from '@apollo/client/react';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { type Pages, usePages } from './usePages';

interface Connection<T> {
  nodes: readonly T[];
  pageInfo: { hasNextPage: boolean; endCursor?: string | null };
}

interface ConnectionOptions<TData, TVariables, T> {
  query: TypedDocumentNode<TData, TVariables>;
  /** All but those of the page; others are another list. */
  variables: Omit<TVariables, 'first' | 'after'>;
  /** Where the connection stands in the answer. */
  of(data: TData): Connection<T>;
  /** Nothing is read: whoever looks may not. */
  skip?: boolean;
}

/** How many a press brings. */
const size = 100;

export function useConnection<TData, TVariables extends OperationVariables, T extends { id: string }>({
  query,
  variables,
  of,
  skip,
}: ConnectionOptions<TData, TVariables, T>): Pages<T> {
  const client = useApolloClient();
  return usePages<T>({
    key: skip ? null : JSON.stringify(variables),
    read: async (first, after) => {
      const options = { query, variables: { ...variables, first, after }, fetchPolicy: 'no-cache' };
      const { data } = await client.query(options as unknown as Parameters<typeof client.query<TData, TVariables>>[0]);
      if (!data) return { items: [], next: null };
      const { nodes, pageInfo } = of(data as TData);
      return { items: nodes, next: pageInfo.hasNextPage ? (pageInfo.endCursor ?? null) : null };
    },
    idOf: (each) => each.id,
    size,
  });
}
