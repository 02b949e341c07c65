// Subscriptions over graphql-transport-ws that go on where they broke off.
//
// A graphql-ws client sends the same payload object again on every retry. This
// link keeps that object and writes the last cursor into its `after` variable,
// so that a retry resumes without a gap and without the subscriber noticing.
import { ApolloLink, CombinedGraphQLErrors, Observable } from '@apollo/client';
import { type GraphQLFormattedError, type OperationDefinitionNode, print } from 'graphql';
import type { Client } from 'graphql-ws';
import { advance, resumes } from './resume';
import { getSession, refreshSession } from './session';
import { backoff, pause } from './socket';

/** Errors that another try may get past. The others are for the subscriber. */
const transient = new Set(['TIMEOUT', 'UNAVAILABLE', 'INTERNAL', 'RATE_LIMITED', 'UNAUTHENTICATED']);

/** Sends subscriptions through `client`, resuming each behind what it has delivered. */
export class FeedLink extends ApolloLink {
  constructor(private readonly client: Pick<Client, 'subscribe'>) {
    super();
  }

  override request(operation: ApolloLink.Operation): Observable<ApolloLink.Result> {
    const payload = {
      operationName: operation.operationName,
      query: print(operation.query),
      variables: { ...operation.variables } as Record<string, unknown>,
    };
    const resumable = takesAfter(operation.query.definitions[0] as OperationDefinitionNode);
    if (resumable) resumes(payload);
    return new Observable((observer) => {
      let retries = 0;
      let stop = () => {};
      let over = false;
      // graphql-ws gives up on some close codes (1011 of a proxy, for one), and a
      // feed may be ended by the server. Nobody wants it to end, so it begins again.
      const again = async (token: boolean) => {
        const held = getSession()?.accessToken;
        await pause(backoff(retries++));
        if (token && held && !over) await refreshSession(held);
        if (!over) start();
      };
      const start = () => {
        stop = this.client.subscribe<Record<string, unknown>>(payload, {
          next: (result) => {
            const failed = result.errors?.[0];
            if (failed && !result.data) {
              fail(result.errors as readonly GraphQLFormattedError[]);
              return;
            }
            retries = 0;
            const cursor = cursorOf(result.data);
            if (resumable && cursor) advance(payload, cursor);
            observer.next(result as ApolloLink.Result);
          },
          error: (error) => fail(error),
          complete: () => {
            if (over) return;
            if (resumable) {
              again(false);
              return;
            }
            over = true;
            observer.complete(); // a job that has ended
          },
        });
      };
      const fail = (error: unknown) => {
        if (over) return;
        const errors = Array.isArray(error) ? (error as GraphQLFormattedError[]) : null;
        const code = errors?.[0]?.extensions?.code;
        if (errors && !transient.has(String(code))) {
          over = true;
          stop();
          observer.error(new CombinedGraphQLErrors({ errors }));
          return;
        }
        stop();
        again(code === 'UNAUTHENTICATED');
      };
      start();
      return () => {
        over = true;
        stop();
      };
    });
  }
}

function takesAfter(operation: OperationDefinitionNode): boolean {
  return (operation.variableDefinitions ?? []).some((v) => v.variable.name.value === 'after');
}

/** The `cursor` of the one root field, "" and null being none. */
export function cursorOf(data: Record<string, unknown> | null | undefined): string | null {
  for (const root of Object.values(data ?? {})) {
    const cursor = (root as { cursor?: unknown } | null)?.cursor;
    if (typeof cursor === 'string' && cursor) return cursor;
  }
  return null;
}
