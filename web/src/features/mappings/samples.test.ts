import { describe, expect, it } from 'vitest';
import { pathsOf, pretty, readSamples } from './samples';

describe('pasted records', () => {
  it.each<[string, string, number, RegExp | null]>([
    ['nothing', ' \n', 0, null],
    ['one object over several lines', '{\n "a": 1\n}', 1, null],
    ['an array', '[{"a":1},{"a":2}]', 2, null],
    ['an object on each line, and an empty line', '{"a":1}\n\n{"a":2}\n', 2, null],
    ['no JSON', 'door-1 opened', 0, /no JSON/],
    ['a line that is none', '{"a":1}\n{"a":', 0, /Line 2/],
    ['more than are tried', Array.from({ length: 25 }, () => '{}').join('\n'), 20, /first 20/],
  ])('%s', (_, text, count, told) => {
    const { records, problem } = readSamples(text);
    expect(records).toHaveLength(count);
    if (told) expect(problem).toMatch(told);
    else expect(problem).toBeNull();
  });
});

describe('paths of records', () => {
  it('has those of every record once, lists by number', () => {
    expect(pathsOf(['{"node":"door-1","who":{"name":"ana"}}', '{"node":"door-2","tags":["x","y"]}'])).toEqual([
      { path: 'node', value: 'door-1' },
      { path: 'who.name', value: 'ana' },
      { path: 'tags.0', value: 'x' },
      { path: 'tags.1', value: 'y' },
    ]);
  });

  it('has none of what is no JSON', () => expect(pathsOf(['nope'])).toEqual([]));
});

it('breaks the lines of JSON and leaves the rest', () => {
  expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(pretty('nope')).toBe('nope');
});
