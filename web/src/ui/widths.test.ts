import { expect, test } from 'vitest';
import { widthsOf } from './widths';

test('rows are as wide as their columns need, whatever stands in them', () => {
  expect(widthsOf([{ least: 1 }, { least: 5, grow: 2 }])).toEqual({
    template: '1rem minmax(5rem,2fr)',
    least: '8.25rem', // 1 + 5, a gap of 0.75, and 0.75 on either side
  });
});
