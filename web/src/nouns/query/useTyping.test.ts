import { renderHook } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { useTyping } from './useTyping';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a line that is typed on stays one step back', () => {
  const { result } = renderHook(useTyping);
  expect(result.current({}, { q: 'ho' }), 'the first letters are a step').toBe(false);
  expect(result.current({ q: 'ho' }, { q: 'host' }), 'further ones belong to it').toBe(true);
  expect(result.current({ q: 'host', status: 'all' }, { q: 'hosts', status: 'all' }), 'something else between').toBe(
    false,
  );
});

test('after a pause it is a step of its own', () => {
  const { result } = renderHook(useTyping);
  result.current({}, { q: 'host' });
  vi.advanceTimersByTime(6_000);
  expect(result.current({ q: 'host' }, { q: 'host:ws' })).toBe(false);
});
