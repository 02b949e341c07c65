import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { act, renderHook, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { expect, test } from 'vitest';
import { createCache } from '../../api/client';
import type { TailEvent } from './tail';
import { useEventTail } from './useEventTail';

const at = (n: number) => new Date(Date.UTC(2026, 4, 4) + n * 1_000).toISOString();
const row = (n: number): TailEvent => ({
  __typename: 'Event',
  id: `e${n}`,
  occurredAt: at(n),
  receivedAt: at(n),
  class: 'PROCESS_ACTIVITY',
  action: 'start',
  outcome: 'SUCCESS',
  severity: 'INFORMATIONAL',
  format: 'generic',
  host: `ws-${n}`,
  user: '',
  message: '',
});

/** A server with events 0 to `newest`, the newest first; the cursor is the number of the last one. */
class Events extends ApolloLink {
  newest = 4_999;
  afters: unknown[] = [];
  private push: (result: ApolloLink.Result) => void = () => {};

  override request(operation: ApolloLink.Operation) {
    return new Observable<ApolloLink.Result>((observer) => {
      if (operation.operationName === 'EventListFeed') {
        this.push = (result) => observer.next(result);
        return;
      }
      const { after, first } = operation.variables;
      this.afters.push(after);
      const from = after ? Number(after) - 1 : this.newest;
      const nodes = Array.from({ length: first }, (_, n) => row(from - n));
      const pageInfo = { __typename: 'PageInfo', hasNextPage: true, endCursor: String(from - first + 1) };
      observer.next({
        data: { events: { __typename: 'EventConnection', nodes, pageInfo, position: `p${this.newest}` } },
      });
      observer.complete();
    });
  }

  arrive(count: number): void {
    const events = Array.from({ length: count }, () => row(++this.newest));
    this.push({ data: { eventFeed: { __typename: 'EventFeedBatch', cursor: 'c', events } } });
  }
}

test('however many have come in above, the list can be followed to its end', async () => {
  const server = new Events();
  const client = new ApolloClient({ cache: createCache(), link: server, dataMasking: true });
  const wrapper = ({ children }: { children: ReactNode }) => (
    <ApolloProvider client={client}>{children}</ApolloProvider>
  );
  const { result } = renderHook(() => useEventTail({}, false, false), { wrapper });
  await waitFor(() => expect(result.current.events).toHaveLength(50));
  // More than the rows that are kept: the end of the first page goes, and its cursor with it.
  act(() => server.arrive(1_200));
  await waitFor(() => expect(result.current.events[0]?.id).toBe('e6199'));
  await waitFor(() => expect(server.afters, 'read anew').toEqual([null, null]));
  await waitFor(() => expect(result.current.loading).toBe(false));
  const before = result.current.events.length;
  act(() => result.current.loadMore());
  await waitFor(() => expect(result.current.events.length).toBe(before + 50));
  expect(server.afters.at(-1), 'never further without a cursor').not.toBeNull();
  const numbers = result.current.events.map(({ id }) => Number(id.slice(1)));
  expect(numbers, 'without a gap').toEqual(numbers.map((_, n) => 6_199 - n));
});
