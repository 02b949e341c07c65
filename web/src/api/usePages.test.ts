import { act, renderHook, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { type Page, usePages } from './usePages';

/** A server of numbered things, the highest first; a cursor is the last number that was read. */
class Things {
  newest = 300;
  asked: [number, string | null][] = [];
  fails = false;
  read = async (first: number, after: string | null): Promise<Page<{ id: string; seen: number }>> => {
    this.asked.push([first, after]);
    if (this.fails) throw new Error('no answer');
    const from = after === null ? this.newest : Number(after) - 1;
    const items = Array.from({ length: Math.min(first, from) }, (_, n) => ({ id: `${from - n}`, seen: this.newest }));
    return { items, next: from > first ? `${from - first + 1}` : null };
  };
}

function show(server: Things, key: string | null = 'all') {
  return renderHook(({ key }) => usePages({ key, read: server.read, idOf: (item) => item.id, size: 50 }), {
    initialProps: { key },
  });
}

const numbers = (items: readonly { id: string }[] | null) => items?.map(({ id }) => Number(id));
const down = (from: number, count: number) => Array.from({ length: count }, (_, n) => from - n);

test('what is shown is read again as far as it is shown', async () => {
  const server = new Things();
  const { result } = show(server);
  await waitFor(() => expect(result.current.items).toHaveLength(50));
  act(() => result.current.more());
  await waitFor(() => expect(result.current.items).toHaveLength(100));
  server.newest = 303;
  act(() => result.current.refresh());
  await waitFor(() => expect(numbers(result.current.items)).toEqual(down(303, 100)));
  expect(
    result.current.items?.every(({ seen }) => seen === 303),
    'all of them',
  ).toBe(true);
  act(() => result.current.more());
  await waitFor(() => expect(numbers(result.current.items)).toEqual(down(303, 150)));
});

test('more than one request brings is read again in several', async () => {
  const server = new Things();
  const { result } = show(server);
  for (const count of [50, 100, 150, 200, 250]) {
    await waitFor(() => expect(result.current.items).toHaveLength(count));
    if (count < 250) act(() => result.current.more());
  }
  server.asked = [];
  act(() => result.current.refresh());
  await waitFor(() =>
    expect(server.asked).toEqual([
      [200, null],
      [50, '101'],
    ]),
  );
  await waitFor(() => expect(result.current.items).toHaveLength(250));
});

test('a page that does not come is told, and asked for again', async () => {
  const server = new Things();
  const { result } = show(server);
  await waitFor(() => expect(result.current.items).toHaveLength(50));
  server.fails = true;
  act(() => result.current.more());
  await waitFor(() => expect(result.current.error).toBeInstanceOf(Error));
  expect(result.current.items, 'what there is stays').toHaveLength(50);
  server.fails = false;
  act(() => result.current.retry());
  await waitFor(() => expect(numbers(result.current.items)).toEqual(down(300, 100)));
  expect(result.current.error).toBeNull();
});

test('told to look while a page comes, it looks afterwards', async () => {
  const server = new Things();
  const { result } = show(server);
  await waitFor(() => expect(result.current.items).toHaveLength(50));
  act(() => {
    result.current.more();
    server.newest = 301;
    result.current.refresh();
  });
  await waitFor(() => expect(numbers(result.current.items)).toEqual(down(301, 100)));
});

test('another key is another list', async () => {
  const server = new Things();
  const { result, rerender } = show(server, null);
  expect(server.asked, 'nothing is read without a key').toEqual([]);
  rerender({ key: 'a' });
  await waitFor(() => expect(result.current.items).toHaveLength(50));
  act(() => result.current.more());
  await waitFor(() => expect(result.current.items).toHaveLength(100));
  rerender({ key: 'b' });
  await waitFor(() => expect(result.current.items).toHaveLength(50));
});

test('where pages are empty it does not look through everything again', async () => {
  let requests = 0;
  const read = async (): Promise<Page<{ id: string }>> => ({ items: [], next: `${++requests}` });
  const { result } = renderHook(() => usePages({ key: 'all', read, idOf: (item) => item.id, size: 50 }));
  await waitFor(() => expect(result.current.items).toEqual([]));
  act(() => result.current.more());
  await waitFor(() => expect(result.current.loading).toBe(false));
  expect(requests).toBe(2);
  act(() => result.current.refresh());
  await waitFor(() => expect(requests).toBe(4));
  await new Promise((done) => setTimeout(done, 50));
  expect(requests).toBe(4);
});
