import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { describe as told } from './errors';
import { fetchInTime } from './fetchInTime';

// A server that never answers: only the signal ends the wait.
beforeEach(() => {
  vi.stubGlobal('fetch', (_: unknown, init?: RequestInit) => {
    return new Promise((_, failed) => init?.signal?.addEventListener('abort', () => failed(init.signal?.reason)));
  });
});
afterEach(() => void vi.unstubAllGlobals());

test('an answer that does not come is an error that says so', async () => {
  const after = new AbortController();
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(after.signal);
  const waiting = fetchInTime('/api/graphql');
  expect(timeout).toHaveBeenCalledWith(20_000);
  after.abort(new DOMException('signal timed out', 'TimeoutError'));
  const error = await waiting.catch((e) => e);
  expect(told(error)).toEqual({ message: 'The server did not answer in time.', code: 'TIMEOUT', requestId: null });
});

test('who asked can still take it back', async () => {
  const asker = new AbortController();
  const waiting = fetchInTime('/api/graphql', { signal: asker.signal });
  asker.abort(new Error('no longer wanted'));
  await expect(waiting).rejects.toThrow('no longer wanted');
});
