import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { act, renderHook, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { expect, test } from 'vitest';
import { createCache } from '../../api/client';
import { useReplay, type Which } from './useReplay';

/** Keeps letters 0, 1, 2, …, and gives them latest first, as the server does. */
class Server extends ApolloLink {
  replayed: string[][] = [];
  /** The replay, counted from 1, that is refused. */
  refuses = 0;

  constructor(readonly letters: number) {
    super();
  }

  override request({ operationName, variables }: ApolloLink.Operation) {
    return new Observable<ApolloLink.Result>((observer) => {
      observer.next({
        data:
          operationName === 'DeadLetterIds'
            ? this.page(variables.first, variables.after)
            : this.replay(variables.input),
      });
      observer.complete();
    });
  }

  page(first: number, after: string | null) {
    const from = after === null ? this.letters - 1 : Number(after) - 1;
    const numbers = Array.from({ length: Math.min(first, from + 1) }, (_, i) => from - i);
    const end = numbers.at(-1) ?? 0;
    return {
      deadLetters: {
        __typename: 'DeadLetterConnection',
        nodes: numbers.map((n) => ({ __typename: 'DeadLetter', id: String(n) })),
        pageInfo: { __typename: 'PageInfo', hasNextPage: end > 0, endCursor: String(end) },
      },
    };
  }

  replay({ ids, asText }: { ids: string[]; asText: boolean }) {
    this.replayed.push(ids);
    const refused = this.replayed.length === this.refuses;
    const replays = ids.map((id) => ({
      __typename: 'DeadLetterReplay',
      letter: { __typename: 'DeadLetter', id, state: 'REPLAYED', replayedAt: null, result: '' },
      stored: asText,
      repeated: false,
      result: asText ? 'stored as generic' : 'no JSON',
    }));
    const errors = [{ __typename: 'UserError', code: 'UNAVAILABLE', message: 'busy' }];
    return {
      deadLetterReplay: {
        __typename: 'DeadLetterReplayPayload',
        replays: refused ? [] : replays,
        errors: refused ? errors : [],
      },
    };
  }
}

function use(server: Server, which: Which) {
  const client = new ApolloClient({ cache: createCache(), link: server });
  const wrapper = ({ children }: { children: ReactNode }) => (
    <ApolloProvider client={client}>{children}</ApolloProvider>
  );
  return renderHook(() => useReplay(which), { wrapper });
}

test('all that match are replayed in batches, the oldest first', async () => {
  const server = new Server(510);
  const { result } = use(server, { filter: { state: 'WAITING' } });
  await act(() => result.current.start(true));
  await waitFor(() => expect(result.current.state).toBe('done'));
  expect(server.replayed.map((batch) => batch.length)).toEqual([200, 200, 110]);
  expect(server.replayed.flat()).toEqual(Array.from({ length: 510 }, (_, n) => String(n)));
  expect(result.current.total).toBe(510);
  expect(result.current.outcome).toMatchObject({ done: 510, stored: 510, refused: 0, formats: ['generic'] });
});

test('a batch that fails ends it, and what was done before is told', async () => {
  const server = new Server(0);
  server.refuses = 2;
  const ids = Array.from({ length: 500 }, (_, n) => String(n));
  const { result } = use(server, { ids });
  await act(() => result.current.start(false));
  await waitFor(() => expect(result.current.state).toBe('done'));
  expect(server.replayed).toHaveLength(2);
  expect(result.current.total).toBe(500);
  expect(result.current.outcome).toMatchObject({ done: 200, stored: 0, refused: 200 });
});

test('whoever leaves stops it', async () => {
  const server = new Server(0);
  const { result, unmount } = use(server, { ids: Array.from({ length: 5_000 }, (_, n) => String(n)) });
  const running = result.current.start(true);
  unmount();
  await running;
  expect(server.replayed.length).toBeLessThanOrEqual(1);
});
