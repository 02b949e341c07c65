// Changing something on the server: what went wrong is said in a notice, in one
// way everywhere.
import type { ApolloClient, OperationVariables } from '@apollo/client';
import { useApolloClient } from '@apollo/client/react';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { useCallback } from 'react';
import { describe } from '../api/errors';
import { notify } from './notices';

export interface Problem {
  code: string;
  message: string;
  path?: readonly string[] | null;
}

interface Payload {
  errors: readonly Problem[];
}

/** Says who was faster, for what was sent; null when that is not known. */
export type Explain = (client: ApolloClient, variables: object) => Promise<string | null>;

/**
 * Runs a mutation of one field; gives its payload, or null when it was refused, after a notice that says why.
 * `explain` stays the same function for good.
 */
export function useChange(explain?: Explain) {
  const client = useApolloClient();
  return useCallback(
    async <TData extends object, TVariables extends OperationVariables>(
      mutation: TypedDocumentNode<TData, TVariables>,
      variables: TVariables,
      /** Shows a problem at its field; true: no notice is needed. */
      show?: (problem: Problem) => boolean,
    ): Promise<NonNullable<TData[keyof TData]> | null> => {
      try {
        const { data } = await client.mutate<TData, TVariables>({ mutation, variables } as Parameters<
          typeof client.mutate<TData, TVariables>
        >[0]);
        const payload = Object.values((data ?? {}) as object)[0] as (Payload & TData[keyof TData]) | undefined;
        const problem = payload?.errors?.[0];
        if (payload && !problem) return payload as NonNullable<TData[keyof TData]>;
        if (problem?.code === 'CONFLICT') {
          const who = await explain?.(client, variables);
          notify(
            'warn',
            who
              ? `${who} Nothing was changed; look at it as it is now and decide again.`
              : `Nothing was changed: ${problem.message}. Look at it as it is now and decide again.`,
          );
        } else if (!problem || !show?.(problem)) {
          notify('error', sentence(problem?.message ?? 'the server gave no answer'));
        }
      } catch (error) {
        const { message, requestId } = describe(error);
        notify('error', requestId ? `${sentence(message)} Request ${requestId}.` : sentence(message));
      }
      return null;
    },
    [client, explain],
  );
}

/** With a capital at the beginning and a full stop at the end. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
