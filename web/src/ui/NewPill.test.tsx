import { act, render } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { NewPill, NewReadOut, withPill } from './NewPill';
import { VirtualGrid } from './VirtualGrid';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const pill = (count: number, waiting = 0, waitingMore = false) => {
  const news = { count, more: false, waiting, waitingMore };
  return (
    <>
      <NewReadOut {...news} />
      <NewPill {...news} onShow={() => undefined} />
    </>
  );
};
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

describe('it stands in a head, beside the name of the column', () => {
  const columns = ['time', 'message'].map((id) => ({ id, title: `The ${id}` }));
  const heads = (count: number, widest = ['command', 'message']) => {
    const news = { count, more: false, onShow: () => undefined };
    render(
      <VirtualGrid
        label="Events"
        columns={withPill(columns, widest, news)}
        template=""
        ids={[]}
        total={0}
        activeId={null}
        onActivate={() => undefined}
        onOpen={() => undefined}
        renderRow={() => null}
      />,
    );
    return [...document.querySelectorAll('[role="columnheader"]')].map((head) =>
      [...head.querySelectorAll('span, button')].filter((part) => part.children.length <= 1).map((p) => p.textContent),
    );
  };
  test('of the widest that is shown', () => expect(heads(3)).toEqual([[], ['The message', '3 new']]));
  test('of another, where the widest is not shown', () =>
    expect(heads(3, ['command'])).toEqual([['The time', '3 new'], []]));
  test('of none while nothing is new', () => expect(heads(0)).toEqual([[], []]));
});
