// What the server makes of a query line, and which fields there are to complete.
import { useQuery } from '@apollo/client/react';
import type { QueryNoun } from '../../gql/schema';
import type { QueryLineState } from '../../ui/QueryBox';
import { QueryLineDocument } from './QueryLine.generated';

export function useQueryLine(noun: QueryNoun, query: string): QueryLineState {
  const known = useQuery(QueryLineDocument, { variables: { noun, query: '' }, fetchPolicy: 'cache-first' });
  const asked = useQuery(QueryLineDocument, { variables: { noun, query }, skip: !query });
  return {
    fields: known.data?.queryLine.fields ?? [],
    problem: (query && asked.data?.queryLine.error) || null,
  };
}
