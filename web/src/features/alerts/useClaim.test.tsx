import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { act, renderHook } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import { useClaim } from './useClaim';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function follow(free: boolean, refused = false, delay = 0) {
  const asked: string[] = [];
  const link = new ApolloLink((operation) => {
    asked.push(operation.operationName ?? '');
    const field = operation.operationName === 'AlertClaimTake' ? 'alertClaim' : 'alertRelease';
    const errors = refused ? [{ __typename: 'UserError', code: 'CONFLICT', message: 'somebody else' }] : [];
    return new Observable((observer) => {
      const answer = () => {
        observer.next({ data: { [field]: { __typename: 'AlertPayload', alert: null, errors } } });
        observer.complete();
      };
      if (delay > 0) setTimeout(answer, delay);
      else answer();
    });
  });
  const client = new ApolloClient({ cache: createCache(), link, dataMasking: true });
  const wrapper = ({ children }: { children: ReactNode }) => (
    <ApolloProvider client={client}>{children}</ApolloProvider>
  );
  const hook = renderHook(({ id, free }) => useClaim(id, free), { wrapper, initialProps: { id: 'a1', free } });
  const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
  return { ...hook, asked, pass };
}

test('an alert that is looked at is claimed, the claim renewed, and ended when it is closed', async () => {
  const { asked, pass, unmount } = follow(true);
  await pass(2_000);
  expect(asked).toEqual(['AlertClaimTake']);
  await pass(75_000);
  expect(asked).toHaveLength(2);
  unmount();
  expect(asked.at(-1)).toBe('AlertClaimEnd');
});

test('passing by claims nothing', async () => {
  const { asked, pass, unmount } = follow(true);
  await pass(500);
  unmount();
  await pass(10_000);
  expect(asked).toEqual([]);
});

test('what somebody else looks at is left to them', async () => {
  const { asked, pass, rerender } = follow(false);
  await pass(10_000);
  expect(asked).toEqual([]);
  rerender({ id: 'a1', free: true });
  await pass(2_000);
  expect(asked, 'until they have gone').toEqual(['AlertClaimTake']);
});

test('a claim that was refused is not ended', async () => {
  const { asked, pass, unmount } = follow(true, true);
  await pass(2_000);
  unmount();
  expect(asked).toEqual(['AlertClaimTake']);
});

test('a tab that nobody sees claims nothing', async () => {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
  const { asked, pass } = follow(true);
  await pass(100_000);
  expect(asked).toEqual([]);
});

test('a claim that was taken over ends with the panel, however soon', async () => {
  const { asked, result, unmount } = follow(false);
  result.current();
  unmount();
  expect(asked).toEqual(['AlertClaimEnd']);
});

test.each([false, true])(
  'a claim that is answered after the panel was closed is ended (refused: %s)',
  async (refused) => {
    const { asked, pass, unmount } = follow(true, refused, 500);
    await pass(1_600);
    unmount();
    expect(asked).toEqual(['AlertClaimTake']);
    await pass(1_000);
    expect(asked).toEqual(refused ? ['AlertClaimTake'] : ['AlertClaimTake', 'AlertClaimEnd']);
  },
);

test('one that is taken over after the panel was closed is ended at once', () => {
  const { asked, result, unmount } = follow(false);
  const hold = result.current;
  unmount();
  hold();
  expect(asked).toEqual(['AlertClaimEnd']);
});
