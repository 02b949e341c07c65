// Follows a feed of a Security Monitor server over graphql-transport-ws, and
// resumes behind what was handled. One file without imports: copy it.
//
//   for await (const { data, cursor } of follow({ url, token, query })) { ...; keep(cursor); }
//
// A message counts as handled when the loop asks for the next one. Nothing is
// left out, and after a lost connection nothing handled comes again, but the
// parts of an event batch that was cut: its last part moves the cursor.

export interface FeedOptions {
  /** The GraphQL endpoint: http, https, ws or wss. */
  url: string;
  /** An API token or access token, or what gives one for each connection. */
  token: string | (() => string | Promise<string>);
  /** A subscription that takes `$after: Cursor` and passes it on. */
  query: string;
  operationName?: string;
  variables?: Record<string, unknown>;
  /** The cursor to go on from; without it the feed begins now. */
  after?: string | null;
  /** Ends the feed. */
  signal?: AbortSignal;
  /** Where the platform has none: Node before 22. */
  WebSocket?: WebSocketConstructor;
  /** Hears why a connection was lost and in how many milliseconds the next try comes. */
  onRetry?(reason: string, milliseconds: number): void;
}

export interface FeedMessage<T = unknown> {
  /** The position behind this message. */
  cursor: string;
  data: T;
  /** Errors of single fields; the rest of the data is right. */
  errors: readonly ServerError[];
}

export interface ServerError {
  message: string;
  extensions?: Record<string, unknown>;
}

/** The part of WebSocket that is used. */
export interface Socket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}
export type WebSocketConstructor = new (url: string, protocol: string) => Socket;

/** The server refused the operation, for example with CURSOR_EXPIRED: extensions then name `reason`, `earliest` and `head`. */
export class FeedError extends Error {
  constructor(readonly errors: readonly ServerError[]) {
    super(errors[0]?.message ?? 'the server refused without a reason');
    this.name = 'FeedError';
  }
  get code(): string {
    return String(this.errors[0]?.extensions?.code ?? '');
  }
  get extensions(): Record<string, unknown> {
    return this.errors[0]?.extensions ?? {};
  }
}

/** The server closed the connection for a reason that another try would not change. */
export class FeedClosed extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
  ) {
    super(`the server closed the connection: ${code} ${reason}`);
    this.name = 'FeedClosed';
  }
}

const firstPause = 200;
const longestPause = 15_000;
const silence = 60_000; // the server pings three times in it
const openTime = 20_000;
const maxWaiting = 256; // messages; beyond it the connection is given up until they are handled
const refusalsInARow = 3;
const finalCodes = new Set([4400, 4401, 4406, 4408, 4409, 4429]);
const transient = new Set(['UNAVAILABLE', 'TIMEOUT', 'INTERNAL', 'RATE_LIMITED']);
const operation = 'feed';
/** A list that has an item. What looks like it in a string counts too, and only hands on a message that holds nothing. */
const item = /\[\s*[^\]\s]/;

interface Wire {
  id?: string;
  type: string;
  payload?: {
    data?: unknown;
    errors?: ServerError[];
    extensions?: { cursor?: string };
    cursors?: Record<string, string>;
  } & ServerError[];
}

/** What a connection tells, in order. */
type Told =
  | { kind: 'next'; message: FeedMessage }
  | { kind: 'position'; cursor: string }
  | { kind: 'complete' }
  | { kind: 'failed'; error: Error }
  | { kind: 'lost'; reason: string; code: number };

/** Follows a feed until it is complete or `signal` ends it; throws FeedError, FeedClosed, or what `token` throws. */
export async function* follow<T = unknown>(options: FeedOptions): AsyncGenerator<FeedMessage<T>, void, void> {
  let after = options.after || null;
  let pause = firstPause;
  let refusals = 0;
  while (!options.signal?.aborted) {
    const link = new Link(options, after);
    try {
      await link.open();
      for (let first = true; ; ) {
        const told = await link.next();
        if (told.kind === 'complete') return;
        if (told.kind === 'failed') throw told.error;
        if (told.kind === 'position') {
          after = told.cursor;
          continue;
        }
        if (told.kind === 'lost') {
          if (options.signal?.aborted) return;
          refusals = told.code === 4403 ? refusals + 1 : 0;
          if (refusals >= refusalsInARow)
            throw new FeedClosed(4403, 'Forbidden: the token is unknown, revoked or expired');
          const wait = pause / 2 + (Math.random() * pause) / 2;
          pause = Math.min(2 * pause, longestPause);
          options.onRetry?.(told.reason, wait);
          await sleep(wait, options.signal);
          break;
        }
        pause = firstPause;
        refusals = 0;
        const { message } = told;
        // Only the first message can be the greeting behind a resumption, which holds
        // nothing: the parts of a large page have the client's cursor too, all but the last.
        const greets = first && !message.errors.length && !item.test(JSON.stringify(message.data));
        first = false;
        if (greets && message.cursor && message.cursor === after) continue;
        yield message as FeedMessage<T>;
        if (message.cursor) after = message.cursor;
      }
    } finally {
      link.close();
    }
  }
}

/** One connection. */
class Link {
  private readonly told: Told[] = [];
  private wake: (() => void) | null = null;
  private socket: Socket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private over = false;
  private readonly abort = () => this.lose('aborted', 0);

  constructor(
    private readonly options: FeedOptions,
    private readonly after: string | null,
  ) {}

  async open(): Promise<void> {
    const { url, token } = this.options;
    const credential = typeof token === 'string' ? token : await token();
    const Constructor = this.options.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
    if (!Constructor) throw new Error('this platform has no WebSocket: give one in the options');
    this.options.signal?.addEventListener('abort', this.abort);
    const socket = new Constructor(url.replace(/^http/, 'ws'), 'graphql-transport-ws');
    this.socket = socket;
    this.expect(openTime);
    socket.onopen = () => this.send({ type: 'connection_init', payload: { authorization: `Bearer ${credential}` } });
    socket.onmessage = (event: { data: unknown }) => {
      if (this.over) return;
      this.expect(silence);
      try {
        this.take(JSON.parse(String(event.data)) as Wire);
      } catch (error) {
        this.lose(String(error), 0);
      }
    };
    socket.onerror = () => {}; // a close event follows
    socket.onclose = (event: { code: number; reason: string }) => {
      if (finalCodes.has(event.code)) this.tell({ kind: 'failed', error: new FeedClosed(event.code, event.reason) });
      this.lose(`${event.code} ${event.reason}`.trim(), event.code);
    };
  }

  private take(m: Wire): void {
    switch (m.type) {
      case 'connection_ack': {
        const variables = { ...this.options.variables, ...(this.after && { after: this.after }) };
        const { query, operationName } = this.options;
        this.send({ id: operation, type: 'subscribe', payload: { query, operationName, variables } });
        break;
      }
      case 'ping': {
        this.send({ type: 'pong' });
        const cursor = m.payload?.cursors?.[operation];
        if (cursor) this.tell({ kind: 'position', cursor });
        break;
      }
      case 'next': {
        const { data, errors = [], extensions } = m.payload ?? {};
        this.tell({ kind: 'next', message: { cursor: extensions?.cursor ?? '', data, errors } });
        // The rest waits in the server's journal until these are handled.
        if (this.told.length >= maxWaiting) this.lose('the reader is slower than the feed', 0);
        break;
      }
      case 'error': {
        const error = new FeedError(m.payload ?? []);
        if (transient.has(error.code)) this.lose(error.message, 0);
        else this.tell({ kind: 'failed', error });
        break;
      }
      case 'complete':
        this.tell({ kind: 'complete' });
        break;
    }
  }

  /** Waits for what comes next. */
  async next(): Promise<Told> {
    for (;;) {
      const first = this.told.shift();
      if (first) return first;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  private tell(told: Told): void {
    if (this.over) return;
    this.told.push(told);
    this.wake?.();
    this.wake = null;
  }

  private lose(reason: string, code: number): void {
    this.tell({ kind: 'lost', reason, code });
    this.close();
  }

  private send(message: object): void {
    this.socket?.send(JSON.stringify(message));
  }

  private expect(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.lose('the server is silent', 0), milliseconds);
  }

  close(): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.timer);
    this.options.signal?.removeEventListener('abort', this.abort);
    this.socket?.close(1000);
  }
}

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done);
  });
}
