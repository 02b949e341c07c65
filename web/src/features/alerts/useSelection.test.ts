import { act, renderHook } from '@testing-library/react';
import { expect, test } from 'vitest';
import { useSelection } from './useSelection';

test('rows are switched, taken in a stretch, and forgotten with the filter', () => {
  const { result, rerender } = renderHook(({ filter }) => useSelection(['a', 'b', 'c', 'd'], filter), {
    initialProps: { filter: { q: 1 } },
  });
  const ids = () => [...result.current.ids].sort().join('');
  act(() => result.current.toggle('b', false));
  act(() => result.current.toggle('d', true));
  expect(ids()).toBe('bcd');
  act(() => result.current.toggle('c', false));
  expect(ids()).toBe('bd');
  act(() => result.current.all());
  expect(ids()).toBe('abcd');
  rerender({ filter: { q: 1 } });
  expect(ids()).toBe('abcd');
  rerender({ filter: { q: 2 } });
  expect(ids()).toBe('');
});
