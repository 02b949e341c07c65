import { describe, expect, it } from 'vitest';
import { summary, valuesOf } from './Placeholders';

describe('lists of values', () => {
  it('takes one value a line, without room and empty lines', () => {
    expect(valuesOf('  srv*\n\n dc 1\r\n\t\n')).toEqual(['srv*', 'dc 1']);
    expect(valuesOf(' \n')).toEqual([]);
  });
  it('shows a few values and how many more there are', () => {
    expect(summary(['a', 'b', 'c'])).toBe('a, b, c');
    expect(summary(Array.from({ length: 1000 }, (_, i) => `v${i}`))).toBe('v0, v1, v2 and 997 more');
  });
});
