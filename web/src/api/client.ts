// The Apollo client: queries and mutations by POST, feeds by the resuming link.
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, Observable } from '@apollo/client';
import type { GraphQLCodegenDataMasking } from '@apollo/client/masking';
import { cacheSizes } from '@apollo/client/utilities';
import { OperationTypeNode } from 'graphql';
import type { Client } from 'graphql-ws';
import { FeedLink } from './feedLink';
import { fetchInTime } from './fetchInTime';
import { endpoint, freshToken, getSession, refreshSession } from './session';

declare module '@apollo/client' {
  export interface TypeOverrides extends GraphQLCodegenDataMasking.TypeOverrides {}
}

/** Puts a fresh token on each request; one that is refused all the same is tried once more after a refresh. */
export class SessionLink extends ApolloLink {
  override request(operation: ApolloLink.Operation, forward: ApolloLink.ForwardFunction) {
    return new Observable<ApolloLink.Result>((observer) => {
      let inner: { unsubscribe(): void } | null = null;
      let over = false;
      const send = (token: string | null, mayRetry: boolean) => {
        operation.setContext(({ headers = {} }: { headers?: Record<string, string> }) => ({
          headers: { ...headers, ...(token ? { authorization: `Bearer ${token}` } : {}) },
        }));
        const retry = async () => {
          if (token) await refreshSession(token);
          if (!over) send(getSession()?.accessToken ?? null, false);
        };
        inner = forward(operation).subscribe({
          next: (result) => {
            const refused = result.errors?.some((e) => e.extensions?.code === 'UNAUTHENTICATED');
            if (refused && mayRetry && token) retry();
            else {
              observer.next(result);
              observer.complete();
            }
          },
          error: (error) => {
            const refused =
              (CombinedGraphQLErrors.is(error) && error.errors[0]?.extensions?.code === 'UNAUTHENTICATED') ||
              (error as { statusCode?: number })?.statusCode === 401;
            if (refused && mayRetry && token) retry();
            else observer.error(error);
          },
        });
      };
      freshToken().then((token) => {
        if (!over) send(token, true);
      });
      return () => {
        over = true;
        inner?.unsubscribe();
      };
    });
  }
}

// What the cache remembers of its own reading. Its usual 50,000 results are those
// of rows long gone in a list that changes all day: 100 MB. A screen needs some hundred.
Object.assign(cacheSizes, {
  'inMemoryCache.executeSelectionSet': 4_000,
  'inMemoryCache.executeSubSelectedArray': 1_000,
  'inMemoryCache.maybeBroadcastWatch': 1_000,
});

export function createCache(): InMemoryCache {
  return new InMemoryCache({
    possibleTypes: { Node: ['Alert', 'Comment', 'Event', 'Rule', 'User'] },
    typePolicies: {
      // No id of their own: they are part of what holds them. Endpoint and LogSource are
      // asked for whole everywhere (client.test.ts) and need no merging, for which the
      // cache would note each alert and event that it ever held, for ever.
      RuleActivity: { merge: true },
      AssetRisk: { merge: true },
      Viewer: { keyFields: [] },
      Query: {
        fields: {
          event: {
            read: (known, { args, toReference }) => known ?? toReference({ __typename: 'Event', id: args?.id }),
          },
        },
      },
    },
  });
}

export function createApollo(sockets: Client): ApolloClient {
  const http = ApolloLink.from([
    new SessionLink(),
    new HttpLink({ uri: endpoint, credentials: 'same-origin', fetch: fetchInTime }),
  ]);
  return new ApolloClient({
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new FeedLink(sockets),
      http,
    ),
    cache: createCache(),
    dataMasking: true,
    defaultOptions: { watchQuery: { fetchPolicy: 'cache-and-network', nextFetchPolicy: 'cache-first' } },
  });
}
