import { renderHook } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { useEvery } from './useEvery';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('it looks while somebody can see it, and as soon as somebody can again', () => {
  const look = vi.fn();
  const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(false);
  const { unmount } = renderHook(() => useEvery(1_000, look));
  vi.advanceTimersByTime(2_500);
  expect(look).toHaveBeenCalledTimes(2);
  hidden.mockReturnValue(true);
  vi.advanceTimersByTime(5_000);
  expect(look).toHaveBeenCalledTimes(2);
  hidden.mockReturnValue(false);
  document.dispatchEvent(new Event('visibilitychange'));
  expect(look).toHaveBeenCalledTimes(3);
  unmount();
  vi.advanceTimersByTime(5_000);
  expect(look).toHaveBeenCalledTimes(3);
});
