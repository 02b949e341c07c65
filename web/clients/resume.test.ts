// The public clients, and our own, on the real program: they subscribe, lose the
// connection in every way, resume, and have every event once and in order.

import { ApolloClient, gql, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient as createSSE, type ExecutionResult, type Client as SSEClient } from 'graphql-sse';
import { createClient as createWS, type Client as WSClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { Server } from '../e2e/server';
import { FeedError, follow, type WebSocketConstructor } from '../feed-client/secmon-feed';
import { Cable } from './cable';

const query = 'subscription Follow($after: Cursor) { eventFeed(after: $after) { cursor events { message } } }';

interface Batch {
  eventFeed: { cursor: string; events: { message: string }[] };
}

let server: Server;
let cable: Cable;
let ingest: string;
let reader: string;
let number = 0;

beforeAll(async () => {
  server = await Server.start();
  cable = await Cable.start(new URL(server.url));
  ingest = await server.ingestToken();
  reader = await server.token('read');
}, 120_000);

afterAll(async () => {
  cable?.stop();
  await server?.stop();
}, 60_000);

const url = () => `http://127.0.0.1:${cable.port}/api/graphql`;
const wsUrl = () => url().replace('http', 'ws');

/** Stores n events, straight at the server. */
async function store(n: number): Promise<void> {
  for (let i = 0; i < n; i++) {
    const response = await fetch(`${server.url}/api/ingest`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ingest}`, 'content-type': 'application/x-ndjson' },
      body: `${JSON.stringify({ message: `event ${number}`, host: 'web-1' })}\n`,
    });
    expect(response.status).toBeLessThan(300);
    number++;
  }
}

/** What a client has got. */
class Got {
  readonly messages: string[] = [];
  cursor: string | null = null;
  started: () => void = () => {};
  readonly ready = new Promise<void>((done) => {
    this.started = done;
  });
  private from = number;

  take(batch: Batch | null | undefined): void {
    if (!batch) return;
    this.cursor = batch.eventFeed.cursor;
    this.messages.push(...batch.eventFeed.events.map((event) => event.message));
    this.started();
  }

  async all(): Promise<void> {
    const want = Array.from({ length: number - this.from }, (_, i) => `event ${this.from + i}`);
    const deadline = Date.now() + 30_000;
    while (this.messages.length < want.length && Date.now() < deadline) await pause(20);
    expect(this.messages).toEqual(want);
  }
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

/** Everything that can go wrong, with events before, while and after. */
async function ordeal(got: Got): Promise<void> {
  await got.ready;
  await store(3);
  cable.cut();
  await store(3);
  cable.mend();
  await got.all();
  await server.pause(); // SIGTERM: 1012
  await server.resume();
  await store(3);
  await got.all();
  server.kill();
  await server.resume();
  await store(3);
  cable.cut();
  cable.mend();
  await store(3);
  await got.all();
}

const retry = {
  retryAttempts: Number.POSITIVE_INFINITY,
  shouldRetry: () => true,
  retryWait: () => pause(100),
};

describe('resuming', () => {
  test('graphql-ws', { timeout: 180_000 }, async () => {
    const got = new Got();
    const client: WSClient = createWS({
      url: wsUrl(),
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${reader}` },
      ...retry,
    });
    const payload = { query, variables: { after: null as string | null } };
    const stop = client.subscribe<Batch>(payload, {
      next: ({ data }) => {
        got.take(data);
        payload.variables.after = got.cursor; // the retry sends this object again
      },
      error: (error) => expect.unreachable(String(error)),
      complete: () => {},
    });
    await ordeal(got);
    stop();
    await client.dispose();
  });

  test('graphql-sse, distinct connections', { timeout: 180_000 }, () => sse(false));
  test('graphql-sse, one connection', { timeout: 180_000 }, () => sse(true));

  test('@apollo/client', { timeout: 180_000 }, async () => {
    const got = new Got();
    const sockets = createWS({
      url: wsUrl(),
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${reader}` },
      ...retry,
    });
    // graphql-ws sends the same payload object on every retry, Apollo's link makes
    // it: the cursor goes in where the two meet.
    const resuming: Pick<WSClient, 'subscribe'> = {
      subscribe: (payload, sink) => {
        const kept = { ...payload, variables: { ...payload.variables } };
        return sockets.subscribe(kept, {
          ...sink,
          next: (result) => {
            const cursor = (result as ExecutionResult<Record<string, unknown>>).extensions?.cursor;
            if (cursor) kept.variables = { ...kept.variables, after: cursor };
            sink.next(result as never);
          },
        });
      },
    };
    const client = new ApolloClient({ cache: new InMemoryCache(), link: new GraphQLWsLink(resuming as WSClient) });
    const subscription = client.subscribe<Batch>({ query: gql(query), fetchPolicy: 'no-cache' }).subscribe({
      next: ({ data }) => got.take(data),
      error: (error) => expect.unreachable(String(error)),
    });
    await ordeal(got);
    subscription.unsubscribe();
    await sockets.dispose();
  });

  test('secmon-feed', { timeout: 180_000 }, async () => {
    const got = new Got();
    const stop = new AbortController();
    const following = (async () => {
      const options = {
        url: url(),
        token: reader,
        query,
        signal: stop.signal,
        WebSocket: WebSocket as unknown as WebSocketConstructor,
      };
      for await (const { data } of follow<Batch>(options)) got.take(data);
    })();
    await ordeal(got);
    stop.abort();
    await following;
  });
});

/** graphql-sse does not keep a position: the caller subscribes again behind the last. */
async function sse(singleConnection: boolean): Promise<void> {
  const got = new Got();
  const client: SSEClient<boolean> = createSSE({
    url: url(),
    singleConnection: singleConnection as never,
    headers: { authorization: `Bearer ${reader}` },
    retryAttempts: 0,
  });
  let stopped = false;
  let stop = () => {};
  const subscribe = () => {
    if (stopped) return;
    const again = () => setTimeout(subscribe, 100);
    stop = client.subscribe<Batch>(
      { query, variables: { after: got.cursor } },
      { next: ({ data }) => got.take(data as Batch), error: again, complete: again },
    );
  };
  subscribe();
  await ordeal(got);
  stopped = true;
  stop();
  client.dispose();
}

test('an expired cursor is told, not skipped', async () => {
  const options = {
    url: url(),
    token: reader,
    query,
    after: 'AQAAAAAAAAABAAAAAAAAAAEAAAAA',
    WebSocket: WebSocket as unknown as WebSocketConstructor,
  };
  const failed = await follow(options)
    .next()
    .catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(FeedError);
  expect((failed as FeedError).code).toBe('CURSOR_EXPIRED');
  expect((failed as FeedError).extensions.earliest).toBeTruthy();
});
