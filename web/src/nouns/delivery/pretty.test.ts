import { expect, test } from 'vitest';
import { pretty } from './pretty';

test('the lines of JSON are broken, and the rest is left', () => {
  expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(pretty('no json')).toBe('no json');
});
