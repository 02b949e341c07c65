import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { act, renderHook, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import type { FeedChange } from '../../gql/schema';
import { type AlertRowFragment, AlertRowFragmentDoc } from './AlertRow.generated';
import { useAlertQueue } from './useAlertQueue';

const seen = (n: number) => new Date(Date.UTC(2026, 4, 4) + n * 1_000).toISOString();
const row = (n: number): AlertRowFragment => ({
  __typename: 'Alert',
  id: `a${n}`,
  version: 1,
  title: `Alert ${n}`,
  severity: 'HIGH',
  status: 'NEW',
  disposition: null,
  assignee: null,
  count: 1,
  firstSeen: seen(n),
  lastSeen: seen(n),
  createdAt: seen(n),
  host: `ws-${n}`,
  user: '',
  source: { __typename: 'Endpoint', ip: null, port: null },
  destination: { __typename: 'Endpoint', ip: null, port: null },
  techniques: [],
  process: '',
  tags: [],
  incident: null,
});

/** A server with alerts 0 to `newest`, the newest first; the cursor is the number of the last one. */
class Alerts extends ApolloLink {
  newest = 999;
  afters: unknown[] = [];
  /** How often the feed was asked for. */
  feeds = 0;
  /** Answers to pages wait until they are let through. */
  held: (() => void)[] | null = null;
  /** How many of the next pages fail. */
  failing = 0;
  fail: (error: Error) => void = () => {};
  private push: (result: ApolloLink.Result) => void = () => {};

  override request(operation: ApolloLink.Operation) {
    return new Observable<ApolloLink.Result>((observer) => {
      if (operation.operationName === 'AlertQueueFeed') {
        this.feeds++;
        this.push = (result) => observer.next(result);
        this.fail = (error) => observer.error(error);
        return;
      }
      const { after, first, ids } = operation.variables;
      if (operation.operationName === 'AlertRows') {
        observer.next({ data: { nodes: ids.map((id: string) => row(Number(id.slice(1)))) } });
        observer.complete();
        return;
      }
      this.afters.push(after);
      const from = after ? Number(after) - 1 : this.newest;
      const nodes = Array.from({ length: first }, (_, n) => row(from - n));
      const pageInfo = { __typename: 'PageInfo', hasNextPage: true, endCursor: String(from - first + 1) };
      if (this.failing > 0) {
        this.failing--;
        observer.error(new Error('away'));
        return;
      }
      const result = {
        data: {
          alerts: {
            __typename: 'AlertConnection',
            nodes,
            pageInfo,
            totalCount: this.newest + 1,
            totalCountIsEstimate: false,
            position: `p${this.newest}`,
          },
        },
      };
      const answer = () => {
        observer.next(result);
        observer.complete();
      };
      if (this.held) this.held.push(answer);
      else answer();
    });
  }

  say(...entries: { change: FeedChange; alert: AlertRowFragment }[]): void {
    const typed = entries.map((entry) => ({ __typename: 'AlertFeedEntry', ...entry }));
    this.push({ data: { alertFeed: { __typename: 'AlertFeedBatch', cursor: 'c', entries: typed } } });
  }

  arrive(count: number): void {
    const entries = Array.from({ length: count }, () => ({
      __typename: 'AlertFeedEntry',
      change: 'ENTERED',
      alert: row(++this.newest),
    }));
    this.push({ data: { alertFeed: { __typename: 'AlertFeedBatch', cursor: 'c', entries } } });
  }
}

const plain: Parameters<typeof useAlertQueue>[0] = {
  filter: {},
  order: 'LAST_SEEN_DESC',
  risk: false,
  paused: false,
  calm: true,
  held: [],
};

function follow(server: Alerts, options: Partial<Parameters<typeof useAlertQueue>[0]> = {}) {
  const client = new ApolloClient({ cache: createCache(), link: server, dataMasking: true });
  const wrapper = ({ children }: { children: ReactNode }) => (
    <ApolloProvider client={client}>{children}</ApolloProvider>
  );
  const rowOf = (id: string) =>
    client.cache.readFragment({ fragment: AlertRowFragmentDoc, fragmentName: 'AlertRow', id: `Alert:${id}` });
  const hook = renderHook((changed: typeof options) => useAlertQueue({ ...plain, ...options, ...changed }), {
    wrapper,
    initialProps: {} as typeof options,
  });
  return { ...hook, rowOf, cache: client.cache };
}

test('however many have come in above, the list can be followed to its end', async () => {
  const server = new Alerts();
  const { result } = follow(server);
  await waitFor(() => expect(result.current.ids).toHaveLength(50));
  // More than the rows that are kept: the end of the first page goes, and its cursor with it.
  act(() => server.arrive(1_200));
  await waitFor(() => expect(result.current.ids[0]).toBe('a2199'), { timeout: 5_000 });
  await waitFor(() => expect(server.afters).toEqual([null, null]));
  await waitFor(() => expect(result.current.loading).toBe(false));
  const before = result.current.ids.length;
  act(() => result.current.loadMore());
  await waitFor(() => expect(result.current.ids.length).toBe(before + 50));
  const numbers = result.current.ids.map((id) => Number(id.slice(1)));
  expect(numbers, 'without a gap').toEqual(numbers.map((_, n) => 2_199 - n));
});

test('what the feed says while a further page is on its way outlives the page', async () => {
  const server = new Alerts();
  const { result, rowOf } = follow(server, { calm: false });
  await waitFor(() => expect(result.current.ids).toHaveLength(50));
  server.held = [];
  act(() => result.current.loadMore());
  await waitFor(() => expect(server.held).toHaveLength(1));
  act(() =>
    server.say(
      { change: 'LEFT', alert: { ...row(940), version: 2 } },
      { change: 'UPDATED', alert: { ...row(930), version: 2, status: 'ACKNOWLEDGED' } },
      { change: 'UPDATED', alert: { ...row(920), version: 2, lastSeen: seen(2_000) } },
    ),
  );
  await waitFor(() => expect([...result.current.arrived.keys()]).toEqual(['a920']));
  act(() => server.held?.shift()?.());
  await waitFor(() => expect(result.current.loading).toBe(false));
  expect(result.current.ids, 'one that left is not listed').not.toContain('a940');
  expect(rowOf('a930')?.status, 'one that changed shows its change').toBe('ACKNOWLEDGED');
  expect(result.current.ids, 'one that was seen again waits above').not.toContain('a920');
  expect(result.current.arrived.get('a920')).toBe(seen(2_000));
  expect(rowOf('a920')?.lastSeen).toBe(seen(2_000));
  act(() => result.current.showNew());
  expect(result.current.ids[0]).toBe('a920');
});

test('what a page says that is newer than the feed holds', async () => {
  const server = new Alerts();
  const { result } = follow(server, { calm: false });
  await waitFor(() => expect(result.current.ids).toHaveLength(50));
  server.held = [];
  act(() => result.current.loadMore());
  await waitFor(() => expect(server.held).toHaveLength(1));
  act(() => server.say({ change: 'LEFT', alert: { ...row(940), version: 0 } }));
  await act(() => new Promise((done) => setTimeout(done, 50)));
  act(() => server.held?.shift()?.());
  await waitFor(() => expect(result.current.ids).toContain('a940'));
});

test('rows that no longer match go by themselves: nothing else moves', async () => {
  const server = new Alerts();
  const { result } = follow(server, { calm: false });
  await waitFor(() => expect(result.current.ids).toHaveLength(50));
  act(() => server.arrive(100));
  act(() => server.say({ change: 'LEFT', alert: { ...row(970), version: 2 } }));
  await waitFor(() => expect(result.current.gone.size).toBe(1));
  act(() => result.current.dropGone());
  expect(result.current.ids).toHaveLength(49);
  expect(result.current.ids[0]).toBe('a999');
  expect(result.current.arrived.size, 'they go on waiting').toBe(100);
});

test('rows that are held stay known however far they are scrolled away, and others can be read', async () => {
  const server = new Alerts();
  const { result, rowOf } = follow(server, { held: ['a900'] });
  await waitFor(() => expect(result.current.ids).toHaveLength(50));
  for (let page = 2; page <= 12; page++) {
    act(() => result.current.loadMore());
    await waitFor(() => expect(result.current.ids).toHaveLength(page * 50));
  }
  act(() => result.current.show(580, 599));
  await waitFor(() => expect(rowOf('a899'), 'let go').toBeNull());
  expect(rowOf('a900')?.title).toBe('Alert 900');
  expect((await result.current.read(['a899', 'a900'])).map((alert) => alert.title)).toEqual(['Alert 899', 'Alert 900']);
});

test('of the last minutes only what was seen in them is listed, once rows may move', async () => {
  const server = new Alerts();
  let time = Date.parse(seen(1_010));
  const { result, rerender } = follow(server, { calm: false, within: 60_000, now: () => time });
  await waitFor(() => expect(result.current.ids).toHaveLength(50));
  act(() => server.say({ change: 'UPDATED', alert: { ...row(960), version: 2, lastSeen: seen(1_005) } }));
  await act(() => new Promise((done) => setTimeout(done, 50)));
  time = Date.parse(seen(1_030));
  expect(result.current.ids, 'no row moves while somebody reads').toHaveLength(50);
  rerender({ calm: true });
  act(() => server.arrive(1));
  await waitFor(() => expect(result.current.ids).toContain('a1000'));
  expect(result.current.ids.at(-1)).toBe('a970');
  expect(result.current.ids, 'one that was seen again stays').toContain('a960');
});

test('what ages out goes although nothing comes', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const server = new Alerts();
  let time = Date.parse(seen(1_000));
  const { result } = follow(server, { within: 60_000, now: () => time });
  await act(() => new Promise((done) => setTimeout(done, 50)));
  expect(result.current.ids).toHaveLength(50);
  time = Date.parse(seen(1_050));
  act(() => void vi.advanceTimersByTime(10_000));
  expect(result.current.ids.at(-1)).toBe('a990');
});

test('a further page that failed is tried again alone', async () => {
  const server = new Alerts();
  const { result } = follow(server);
  await waitFor(() => expect(result.current.ids).toHaveLength(50));
  server.failing = 1;
  act(() => result.current.loadMore());
  await waitFor(() => expect(result.current.error).toBeTruthy());
  act(() => result.current.loadMore());
  act(() => result.current.retry());
  await waitFor(() => expect(result.current.ids).toHaveLength(100));
  expect(result.current.error).toBeFalsy();
  expect(server.afters, 'the list itself is not read again').toEqual([null, '950', '950']);
});

test('trying again revives a feed that ended', async () => {
  const server = new Alerts();
  const { result } = follow(server);
  await waitFor(() => expect(result.current.ids).toHaveLength(50));
  act(() => server.fail(new Error('away')));
  await waitFor(() => expect(result.current.error).toBeTruthy());
  act(() => result.current.retry());
  await waitFor(() => expect(result.current.error).toBeFalsy());
  await waitFor(() => expect(result.current.loading).toBe(false));
  act(() => server.arrive(1));
  await waitFor(() => expect(result.current.ids[0]).toBe('a1000'));
});

test('when all that was loaded has left, what is below takes its place', async () => {
  const server = new Alerts();
  const { result } = follow(server);
  await waitFor(() => expect(result.current.ids).toHaveLength(50));
  const all = Array.from({ length: 50 }, (_, n) => ({ ...row(999 - n), version: 2 }));
  // They are closed: the server gives the ones after them.
  server.newest = 949;
  act(() => server.say(...all.map((alert) => ({ change: 'LEFT' as const, alert }))));
  await waitFor(() => expect(result.current.ids[0]).toBe('a949'));
  expect(result.current.ids).toHaveLength(50);
});

test('too many that came while a page was on its way are read although nothing more comes', async () => {
  const server = new Alerts();
  const { result, rerender } = follow(server, { calm: false });
  await waitFor(() => expect(result.current.ids).toHaveLength(50));
  server.held = [];
  act(() => result.current.loadMore());
  await waitFor(() => expect(server.held).toHaveLength(1));
  // In portions that the feed itself can hold.
  for (const count of [3_000, 3_000]) {
    act(() => server.arrive(count));
    await act(() => new Promise((done) => setTimeout(done, 40)));
  }
  await waitFor(() => expect(result.current.overflowed).toBe(true), { timeout: 5_000 });
  rerender({ calm: true });
  const answer = server.held.shift();
  server.held = null;
  act(() => answer?.());
  await waitFor(() => expect(result.current.ids[0]).toBe('a6999'));
  expect(result.current.overflowed).toBe(false);
});

test('a list that is read again at the same position hears what came while it was on its way', async () => {
  const server = new Alerts();
  const { result } = follow(server, { calm: false });
  await waitFor(() => expect(result.current.ids).toHaveLength(50));
  await waitFor(() => expect(server.feeds).toBe(1));
  act(() => result.current.retry());
  await waitFor(() => expect(result.current.loading).toBe(false));
  await waitFor(() => expect(server.feeds, 'the feed begins again').toBe(2));
});

test('an answer that comes after the list was left is not kept', async () => {
  const server = new Alerts();
  server.held = [];
  const { unmount, cache } = follow(server);
  await waitFor(() => expect(server.held).toHaveLength(1));
  unmount();
  server.held[0]?.();
  await new Promise((done) => setTimeout(done, 20));
  expect(Object.keys(cache.extract() as object).filter((key) => key.startsWith('Alert:'))).toEqual([]);
});
