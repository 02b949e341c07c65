import { describe, expect, test } from 'vitest';
import { appendPage, applyChanges } from './list';

const one = (n: number, title = '') => ({
  id: `i${n}`,
  createdAt: `2026-05-${String(n).padStart(2, '0')}T00:00:00Z`,
  title,
});
const ids = (list: readonly { id: string }[]) => list.map(({ id }) => id);

test('a page brings none twice, and what it brings is the newer', () => {
  const list = appendPage([one(9), one(8), one(5, 'old')], [one(7), one(5, 'new')]);
  expect(ids(list)).toEqual(['i9', 'i8', 'i7', 'i5']);
  expect(list.at(-1)?.title).toBe('new');
});

describe('what the feed tells', () => {
  test('below what was read is left to its page', () => {
    expect(ids(applyChanges([one(9), one(8)], [{ change: 'UPDATED', item: one(3) }], one(8).createdAt))).toEqual([
      'i9',
      'i8',
    ]);
  });
  test('belongs to the list where all was read', () => {
    expect(ids(applyChanges([one(9), one(8)], [{ change: 'ENTERED', item: one(3) }], null))).toEqual([
      'i9',
      'i8',
      'i3',
    ]);
  });
  test('changes, adds and takes away', () => {
    const list = applyChanges(
      [one(9), one(8), one(7)],
      [
        { change: 'UPDATED', item: one(7, 'new') },
        { change: 'ENTERED', item: one(10) },
        { change: 'LEFT', item: one(8) },
      ],
      one(7).createdAt,
    );
    expect(ids(list)).toEqual(['i10', 'i9', 'i7']);
    expect(list.at(-1)?.title).toBe('new');
  });
});
