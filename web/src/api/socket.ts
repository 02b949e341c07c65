// The one socket of a tab, by the graphql-transport-ws protocol: it tries again
// without end, and renews its token before that ends.
import { type Client, createClient, type SubscribePayload } from 'graphql-ws';
import { reportSocket } from './connection';
import { advance } from './resume';
import { endpoint, freshToken, refreshSession } from './session';
import { watchSleep } from './wake';

const keepAlive = 10_000;
const pongTimeout = 5_000;
/** After a sleep the server has this long to answer: most likely nobody is there any more. */
const wakeTimeout = 2_000;
const backoffBase = 500;
const backoffCap = 15_000;
const closeForbidden = 4403;

/** Milliseconds to wait before try number `retries` (from 0): exponential, capped, with full jitter above a floor. */
export function backoff(retries: number, random: () => number = Math.random): number {
  const ceiling = Math.min(backoffCap, backoffBase * 2 ** Math.min(retries, 10));
  return ceiling / 2 + (random() * ceiling) / 2;
}

/** Waits, but not longer than until the network is back. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    window.addEventListener('online', done);
  });
}

/** The one socket of this tab. It opens with the first subscription and closes a little after the last. */
export function createFeedClient(): Client {
  let used: string | null = null;
  let refused: string | null = null;
  let pongDeadline: ReturnType<typeof setTimeout> | undefined;
  let socket: WebSocket | null = null;
  // Not heard back: the peer is gone without a word.
  const expectPong = (within: number) => {
    clearTimeout(pongDeadline);
    pongDeadline = setTimeout(() => client.terminate(), within);
  };
  // By the id of the operation, for the positions that the server's pings tell.
  const running = new Map<string, WeakRef<SubscribePayload>>();
  const client = createClient({
    generateID: (payload) => {
      const id = crypto.randomUUID();
      for (const [other, held] of running) if (!held.deref()) running.delete(other);
      running.set(id, new WeakRef(payload));
      return id;
    },
    url: () => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${endpoint}`,
    lazy: true,
    lazyCloseTimeout: 3_000,
    keepAlive,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: (retries) => pause(backoff(retries)),
    // It must not throw: graphql-ws would close with a code that it does not retry.
    connectionParams: async () => {
      // Unless another request has renewed the refused token already.
      if (refused) await refreshSession(refused);
      refused = null;
      used = await freshToken();
      return used ? { authorization: `Bearer ${used}` } : {};
    },
    on: {
      connecting: () => reportSocket('connecting'),
      connected: (opened) => {
        socket = opened as WebSocket;
        reportSocket('live');
      },
      closed: (event) => {
        socket = null;
        clearTimeout(pongDeadline);
        if (event instanceof CloseEvent && event.code === closeForbidden) refused = used;
        const ours = event instanceof CloseEvent && event.code === 1000;
        reportSocket(ours ? 'idle' : 'reconnecting');
      },
      ping: (received, told) => {
        // The filter has let nothing through up to there.
        for (const [id, cursor] of Object.entries((told?.cursors ?? {}) as Record<string, string>)) {
          const payload = running.get(id)?.deref();
          if (payload) advance(payload, cursor);
        }
        if (!received) expectPong(pongTimeout);
      },
      pong: (received) => {
        if (received) clearTimeout(pongDeadline);
      },
    },
  });
  // The browser knows sooner than any timeout.
  window.addEventListener('offline', () => client.terminate());
  // After a sleep the socket looks open for as long as the next ping takes to fail.
  watchSleep(() => {
    if (socket?.readyState !== WebSocket.OPEN) return;
    socket.send('{"type":"ping"}');
    expectPong(wakeTimeout);
  });
  return client;
}
