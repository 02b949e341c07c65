import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { act, renderHook } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import { type AlertRowFragment, AlertRowFragmentDoc } from './AlertRow.generated';
import { emptyQueue } from './queue';
import { mostHeld, nearby, ready, useRowData, wantAgain } from './useRowData';

const at = '2026-05-04T09:30:00Z';
const row = (id: string): AlertRowFragment => ({
  __typename: 'Alert',
  id,
  version: 1,
  title: `Alert ${id}`,
  severity: 'HIGH',
  status: 'NEW',
  disposition: null,
  assignee: null,
  count: 1,
  firstSeen: at,
  lastSeen: at,
  createdAt: at,
  host: 'ws-1',
  user: '',
  source: { __typename: 'Endpoint', ip: null, port: null },
  destination: { __typename: 'Endpoint', ip: null, port: null },
  techniques: [],
  process: '',
  tags: [],
  incident: null,
});
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}${n}`);
/** Longer than two turns of tending. */
const turn = 400;

let asked: string[][];
let away: boolean;
let gone: Set<string>;

beforeEach(() => {
  asked = [];
  away = false;
  gone = new Set();
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

interface Changed {
  ids?: readonly string[];
  arrived?: readonly string[];
  coming?: readonly string[];
  held?: readonly string[];
}

function tend(initial: Changed) {
  const link = new ApolloLink(
    ({ variables }) =>
      new Observable((observer) => {
        asked.push(variables.ids as string[]);
        if (away) return observer.error(new Error('away'));
        observer.next({ data: { nodes: asked.at(-1)?.map((id) => (gone.has(id) ? null : row(id))) } });
        observer.complete();
      }),
  );
  const client = new ApolloClient({ cache: createCache(), link });
  const wrapper = ({ children }: { children: ReactNode }) => (
    <ApolloProvider client={client}>{children}</ApolloProvider>
  );
  const missing: string[] = [];
  const hook = renderHook(
    ({ ids = [], arrived = [], coming = [], held = [] }: Changed) => {
      const queue = { ...emptyQueue, ids, arrived: new Map(arrived.map((id) => [id, at])) };
      const onMissing = (lost: readonly string[]) => missing.push(...lost);
      return useRowData({ queue, coming: () => coming, held, risk: false, onMissing });
    },
    { wrapper, initialProps: initial },
  );
  const isKept = (id: string) =>
    client.cache.readFragment({ fragment: AlertRowFragmentDoc, fragmentName: 'AlertRow', id: `Alert:${id}` }) !== null;
  return { ...hook, isKept, missing };
}

const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

test('what comes into view is read, once, and what is far from it goes', async () => {
  const ids = names('a', 1_000);
  const { result, rerender, isKept } = tend({});
  rerender({ ids });
  result.current.rows.write(ids.map(row));
  act(() => result.current.show(600, 619));
  await pass(turn);
  expect(asked, 'all is at hand').toEqual([]);
  const kept = ids.map(isKept);
  expect(kept.slice(0, ready).every(Boolean), "the list's top").toBe(true);
  expect(kept.slice(ready, 600 - nearby).some(Boolean), 'between the top and what is near').toBe(false);
  expect(kept.slice(600 - nearby, 619 + nearby + 1).every(Boolean), 'near').toBe(true);
  expect(kept.slice(619 + nearby + 1).some(Boolean), 'below').toBe(false);
  act(() => result.current.show(200, 219));
  await pass(turn);
  expect(asked).toEqual([ids.slice(200, 220)]);
  expect(ids.slice(200, 220).every(isKept)).toBe(true);
});

test('what arrived last, what is about to be placed and what is held is kept', async () => {
  const arrived = names('n', ready + 1);
  const held = names('h', mostHeld + 1);
  const coming = ['c0'];
  const { result, rerender, isKept } = tend({});
  result.current.rows.write([...arrived, ...held, ...coming, 'z0'].map(row));
  rerender({ arrived, held, coming });
  await pass(turn);
  expect([isKept('n0'), isKept('n1'), isKept(`n${ready}`)], 'the latest ones').toEqual([false, true, true]);
  expect([isKept('h0'), isKept(`h${mostHeld}`)], 'the first ones').toEqual([true, false]);
  expect(isKept('c0')).toBe(true);
  expect(isKept('z0'), 'any other').toBe(false);
  rerender({ arrived, held: [], coming: [] });
  await pass(turn);
  expect([isKept('h0'), isKept('c0')], 'once it is neither').toEqual([false, false]);
});

test('what is no longer there is told', async () => {
  const { result, rerender, missing } = tend({});
  gone.add('a1');
  rerender({ ids: ['a0', 'a1', 'a2'] });
  act(() => result.current.show(0, 2));
  await pass(turn);
  expect(missing).toEqual(['a1']);
});

test('rows that cannot be read are asked for again after a while, however often the list changes', async () => {
  away = true;
  const { result, rerender, isKept } = tend({});
  rerender({ ids: ['a0'] });
  act(() => result.current.show(0, 0));
  await pass(turn);
  expect(asked).toHaveLength(1);
  for (let n = 0; n < 3; n++) {
    rerender({ ids: ['a0'] });
    await pass(turn);
  }
  expect(asked, 'not with each change').toHaveLength(1);
  await pass(wantAgain);
  expect(asked).toHaveLength(2);
  away = false;
  await pass(wantAgain);
  expect(asked).toHaveLength(3);
  expect(isKept('a0')).toBe(true);
});

test('nothing is asked for once the list was left', async () => {
  away = true;
  const { result, rerender, unmount } = tend({});
  rerender({ ids: ['a0'] });
  act(() => result.current.show(0, 0));
  await pass(turn);
  unmount();
  await pass(10 * wantAgain);
  expect(asked).toHaveLength(1);
});
