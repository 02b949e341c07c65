import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FeedClosed, FeedError, follow, type Socket } from './secmon-feed';

/** A server that the test plays. */
class FakeSocket implements Socket {
  static all: FakeSocket[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly sent: { type: string; payload?: { variables?: { after?: string }; authorization?: string } }[] = [];
  closed = false;

  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {
    FakeSocket.all.push(this);
    queueMicrotask(() => this.onopen?.());
  }
  send(data: string): void {
    this.sent.push(JSON.parse(data));
  }
  close(): void {
    this.closed = true;
  }
  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  next(cursor: string, data: unknown = cursor): void {
    this.say({ id: 'feed', type: 'next', payload: { data, extensions: { cursor } } });
  }
  drop(code: number, reason = ''): void {
    this.onclose?.({ code, reason });
  }
  get after(): string | undefined {
    return this.sent.find((m) => m.type === 'subscribe')?.payload?.variables?.after;
  }
}

const options = {
  url: 'https://host/api/graphql',
  token: 'secret',
  query: 'subscription { x }',
  WebSocket: FakeSocket,
};

/** The n-th connection, when it has been made; it is acknowledged. */
async function connection(n: number): Promise<FakeSocket> {
  for (let i = 0; i < 200 && !FakeSocket.all[n]; i++) await vi.advanceTimersByTimeAsync(500);
  const socket = FakeSocket.all[n];
  if (!socket) throw new Error(`there is no connection ${n}`);
  await vi.advanceTimersByTimeAsync(1);
  socket.say({ type: 'connection_ack' });
  return socket;
}

describe('follow', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.all = [];
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('resumes behind what was handled, after every loss', async () => {
    const seen: string[] = [];
    const running = (async () => {
      for await (const { cursor } of follow(options)) seen.push(cursor);
    })();
    const first = await connection(0);
    expect(first.url).toBe('wss://host/api/graphql');
    expect(first.sent[0]?.payload?.authorization).toBe('Bearer secret');
    first.next('c0');
    first.next('c1');
    await vi.advanceTimersByTimeAsync(1);
    for (const [n, code] of [1006, 1012, 1013, 1011, 4403].entries()) {
      FakeSocket.all[n]?.drop(code);
      const again = await connection(n + 1);
      expect(again.after).toBe('c1');
      again.next('c1'); // the greeting
      await vi.advanceTimersByTimeAsync(1);
    }
    const last = FakeSocket.all.at(-1);
    last?.say({ type: 'ping', payload: { cursors: { feed: 'c5', other: 'c9' } } });
    expect(last?.sent.at(-1)?.type).toBe('pong');
    await vi.advanceTimersByTimeAsync(61_000); // silence
    const again = await connection(6);
    expect(again.after).toBe('c5');
    again.next('c6');
    again.say({ id: 'feed', type: 'complete' });
    await running;
    expect(seen).toEqual(['c0', 'c1', 'c6']);
  });

  test.each([4400, 4401, 4406, 4408, 4409, 4429])('ends with %d', async (code) => {
    const failed = follow(options)
      .next()
      .catch((error: unknown) => error);
    (await connection(0)).drop(code, 'why');
    expect(await failed).toEqual(new FeedClosed(code, 'why'));
    expect(FakeSocket.all).toHaveLength(1);
  });

  test('gives up after three refusals of the token in a row', async () => {
    const failed = follow(options)
      .next()
      .catch((error: unknown) => error);
    for (const n of [0, 1, 2]) (await connection(n)).drop(4403);
    expect(await failed).toBeInstanceOf(FeedClosed);
  });

  test('gives an expired cursor to the caller', async () => {
    const failed = follow({ ...options, after: 'old' })
      .next()
      .catch((error: unknown) => error);
    const errors = [{ message: 'm', extensions: { code: 'CURSOR_EXPIRED', earliest: 'e' } }];
    (await connection(0)).say({ id: 'feed', type: 'error', payload: errors });
    expect(await failed).toEqual(new FeedError(errors));
    expect(((await failed) as FeedError).extensions.earliest).toBe('e');
  });

  test('a reader slower than the feed holds a bounded number of messages and loses none', async () => {
    const feed = follow(options);
    const first = feed.next();
    const socket = await connection(0);
    for (let i = 0; i < 1_000; i++) socket.next(`c${i}`);
    expect((await first).value?.cursor).toBe('c0');
    expect(socket.closed).toBe(true);
    for (let i = 1; i < 256; i++) expect((await feed.next()).value?.cursor).toBe(`c${i}`);
    const more = feed.next();
    const again = await connection(1);
    expect(again.after).toBe('c255');
    again.next('c256');
    expect((await more).value?.cursor).toBe('c256');
    await feed.return();
    expect(again.closed).toBe(true);
  });

  test.each([
    ['behind the greeting', ['c0']],
    ['first on the connection', []],
  ])('hands on every part of a large page, %s', async (_, greeting) => {
    const seen: unknown[] = [];
    const running = (async () => {
      for await (const { data } of follow({ ...options, after: 'c0' })) seen.push(data);
    })();
    const socket = await connection(0);
    for (const cursor of greeting) socket.next(cursor, { eventFeed: { events: [] } });
    const parts = ['1', '2', '3'].map((host) => ({ eventFeed: { events: [{ host }] } }));
    for (const [n, part] of parts.entries()) socket.next(n < 2 ? 'c0' : 'c1', part); // only the last moves the cursor
    socket.say({ id: 'feed', type: 'complete' });
    await running;
    expect(seen).toEqual(parts);
  });
});
