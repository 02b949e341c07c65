import { expect, test } from 'vitest';
import { readTags, tagged } from './tags';

test.each([
  ['Phishing, VIP ,,vip', ['phishing', 'vip']],
  ['two words', ['two words']],
  [' , ', []],
])('%s', (line, tags) => expect(readTags(line)).toEqual(tags));

test('tags that are there already are there once, and those taken off are not', () => {
  expect(tagged(['a', 'b'], ['b', 'c'], ['a'])).toEqual(['b', 'c']);
});
