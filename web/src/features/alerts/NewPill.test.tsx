import { act, render } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NewPill } from './NewPill';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const pill = (count: number, waiting = 0, waitingMore = false) => (
  <NewPill count={count} more={false} waiting={waiting} waitingMore={waitingMore} onShow={() => undefined} />
);
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
const readOut = () => document.querySelector('[role="status"]')?.textContent;

test('the number is always right to see, and read out every few seconds', async () => {
  const { rerender } = render(pill(0));
  await pass(10_000);
  rerender(pill(1));
  await pass(0);
  expect(readOut()).toBe('1 new');
  for (let count = 2; count <= 20; count++) {
    rerender(pill(count));
    await pass(200);
    expect(document.querySelector('button')?.textContent).toBe(`${count} new`);
    expect(readOut(), 'not with each one').toBe('1 new');
  }
  for (let count = 21; count <= 40; count++) {
    rerender(pill(count));
    await pass(200);
  }
  expect(readOut(), 'although they never stop').toBe('26 new');
});

test('more than can wait while paused are told as such', async () => {
  render(pill(0, 5_000, true));
  await pass(0);
  expect(readOut()).toBe('5,000+ changed while paused');
});
