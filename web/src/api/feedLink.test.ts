import { ApolloClient, InMemoryCache } from '@apollo/client';
import type { Client, Sink, SubscribePayload } from 'graphql-ws';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AlertPulseDocument } from '../live/AlertPulse.generated';
import { hasCode } from './errors';
import { FeedLink } from './feedLink';
import { advance } from './resume';
import { backoff } from './socket';

/** A socket client that remembers what was subscribed, as graphql-ws keeps it: by reference. */
class FakeSockets implements Pick<Client, 'subscribe'> {
  payloads: SubscribePayload[] = [];
  sinks: Sink[] = [];
  stopped = 0;

  subscribe<D, E>(payload: SubscribePayload, sink: Sink<D & E>): () => void {
    this.payloads.push(payload);
    this.sinks.push(sink as unknown as Sink);
    return () => {
      this.stopped++;
    };
  }

  next(cursor: string): void {
    this.sinks.at(-1)?.next({ data: { alertFeed: { __typename: 'AlertFeedBatch', cursor, entries: [] } } } as never);
  }
}

function subscribe(sockets: FakeSockets, after?: string) {
  const client = new ApolloClient({ cache: new InMemoryCache(), link: new FeedLink(sockets) });
  const seen: string[] = [];
  const errors: unknown[] = [];
  const subscription = client
    .subscribe({ query: AlertPulseDocument, variables: { after }, fetchPolicy: 'no-cache' })
    .subscribe({
      next: ({ data, error }) => {
        if (error) errors.push(error);
        else if (data) seen.push(data.alertFeed.cursor);
      },
    });
  return { seen, errors, subscription };
}

describe('FeedLink', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('takes the position that a ping tells', () => {
    const sockets = new FakeSockets();
    subscribe(sockets, 'c0');
    const [payload] = sockets.payloads;
    if (payload) advance(payload, 'c7');
    expect(payload?.variables?.after).toBe('c7');
    const other = { variables: { id: 'x' } };
    advance(other, 'c7');
    expect(other.variables).toEqual({ id: 'x' });
  });

  test('puts the last cursor into the payload object itself, for the retry that resends it', () => {
    const sockets = new FakeSockets();
    const { seen } = subscribe(sockets, 'c0');
    const [payload] = sockets.payloads;
    expect(payload?.variables?.after).toBe('c0');
    sockets.next('c1');
    sockets.next('c2');
    expect(seen).toEqual(['c1', 'c2']);
    expect(sockets.payloads).toHaveLength(1);
    expect(payload?.variables?.after).toBe('c2');
  });

  test('a message without a position does not move it back', () => {
    const sockets = new FakeSockets();
    subscribe(sockets, 'c0');
    sockets.next('');
    expect(sockets.payloads[0]?.variables?.after).toBe('c0');
  });

  test('a close that graphql-ws gives up on begins anew, behind what was delivered', async () => {
    const sockets = new FakeSockets();
    const { errors } = subscribe(sockets, 'c0');
    sockets.next('c1');
    sockets.sinks[0]?.error(new CloseEvent('close', { code: 1011 }));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sockets.payloads).toHaveLength(2);
    expect(sockets.payloads[1]?.variables?.after).toBe('c1');
    expect(errors).toEqual([]);
  });

  test('a feed that the server ends begins anew', async () => {
    const sockets = new FakeSockets();
    subscribe(sockets, 'c0');
    sockets.sinks[0]?.complete();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sockets.payloads).toHaveLength(2);
  });

  test.each([
    ['as an error message', (s: FakeSockets, e: object[]) => s.sinks[0]?.error(e)],
    ['as a result without data', (s: FakeSockets, e: object[]) => s.sinks[0]?.next({ errors: e } as never)],
  ])('an expired cursor is for the subscriber to mend, told %s', async (_, tell) => {
    const sockets = new FakeSockets();
    const { errors } = subscribe(sockets, 'c0');
    tell(sockets, [{ message: 'trimmed', extensions: { code: 'CURSOR_EXPIRED' } }]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(errors).toHaveLength(1);
    expect(hasCode(errors[0], 'CURSOR_EXPIRED')).toBe(true);
    expect(sockets.payloads).toHaveLength(1);
  });

  test('a passing fault of the server is tried again', async () => {
    const sockets = new FakeSockets();
    const { errors } = subscribe(sockets, 'c0');
    sockets.sinks[0]?.error([{ message: 'busy', extensions: { code: 'UNAVAILABLE' } }] as never);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sockets.payloads).toHaveLength(2);
    expect(errors).toEqual([]);
  });

  test('nothing begins anew after the subscriber has left', async () => {
    const sockets = new FakeSockets();
    const { subscription } = subscribe(sockets, 'c0');
    sockets.sinks[0]?.error(new CloseEvent('close', { code: 1011 }));
    subscription.unsubscribe();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets.payloads).toHaveLength(1);
  });
});

test('waiting grows, is capped at 15 s, and differs between clients', () => {
  expect(backoff(0, () => 0)).toBe(250);
  expect(backoff(0, () => 1)).toBe(500);
  expect(backoff(3, () => 1)).toBe(4_000);
  expect(backoff(50, () => 1)).toBe(15_000);
});
