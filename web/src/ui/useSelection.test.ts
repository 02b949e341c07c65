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

test('all that match are selected until a row is taken out: then those that are listed', () => {
  const { result, rerender } = renderHook(({ shown, filter }) => useSelection(shown, filter), {
    initialProps: { shown: ['a', 'b'], filter: { q: 1 } },
  });
  const ids = () => [...result.current.ids].sort().join('');
  act(() => result.current.toggle('a', false));
  act(() => result.current.allMatching());
  expect([ids(), result.current.matching]).toEqual(['ab', true]);
  rerender({ shown: ['a', 'b', 'c'], filter: { q: 1 } });
  expect(ids(), 'rows that are listed later too').toBe('abc');
  act(() => result.current.toggle('b', false));
  expect([ids(), result.current.matching]).toEqual(['ac', false]);
  act(() => result.current.allMatching());
  rerender({ shown: ['a', 'b', 'c'], filter: { q: 2 } });
  expect([ids(), result.current.matching], 'another filter is another list').toEqual(['', false]);
});
