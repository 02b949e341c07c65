import { describe, expect, test } from 'vitest';
import type { FeedChange } from '../gql/schema';
import { FeedQueue } from './feedQueue';

interface Item {
  id: string;
  n: number;
}

const entry = (change: FeedChange, id: string, n = 0) => ({ change, item: { id, n } });
const queueOf = (bound = 10) => new FeedQueue<Item>((item) => item.id, bound);

describe('FeedQueue', () => {
  test.each<[string, FeedChange[], FeedChange]>([
    ['the last wins', ['UPDATED', 'LEFT'], 'LEFT'],
    ['ENTERED sticks while it is updated', ['ENTERED', 'UPDATED', 'UPDATED'], 'ENTERED'],
    ['what left is gone, whatever it was', ['ENTERED', 'LEFT'], 'LEFT'],
    ['what came back is there', ['LEFT', 'ENTERED'], 'ENTERED'],
  ])('%s', (_, changes, want) => {
    const queue = queueOf();
    queue.push(changes.map((change, n) => entry(change, 'a', n)));
    expect(queue.drain()).toEqual([entry(want, 'a', changes.length - 1)]);
  });

  test('draining empties it, in the order of first arrival', () => {
    const queue = queueOf();
    queue.push([entry('ENTERED', 'b'), entry('ENTERED', 'a'), entry('UPDATED', 'b')]);
    expect(queue.drain().map((e) => e.item.id)).toEqual(['b', 'a']);
    expect(queue.size).toBe(0);
  });

  test('past its bound it holds nothing and says so', () => {
    const queue = queueOf(2);
    queue.push([entry('ENTERED', 'a'), entry('ENTERED', 'b'), entry('ENTERED', 'c')]);
    expect(queue.overflowed).toBe(true);
    expect(queue.size).toBe(0);
    queue.push([entry('ENTERED', 'd')]);
    expect(queue.size, 'it takes nothing more until it is reset').toBe(0);
    queue.reset();
    queue.push([entry('ENTERED', 'd')]);
    expect(queue.size).toBe(1);
  });

  test('many changes of few items do not fill it', () => {
    const queue = queueOf(2);
    for (let n = 0; n < 100; n++) queue.push([entry('UPDATED', n % 2 ? 'a' : 'b', n)]);
    expect(queue.overflowed).toBe(false);
  });
});
