import { describe, expect, it } from 'vitest';
import { addReplays, formatOf, nothing } from './outcome';

const replay = (stored: boolean, repeated: boolean, result: string) => ({ stored, repeated, result });

describe('the outcome of a replay', () => {
  it('adds up over batches, and counts those that are gone', () => {
    const first = addReplays(nothing, [replay(true, false, 'stored as map:gate'), replay(false, false, 'no JSON')], 3);
    const all = addReplays(
      first,
      [
        replay(false, false, 'too deep'),
        replay(false, false, 'too deep'),
        replay(true, true, 'it was replayed before'),
      ],
      3,
    );
    expect(all).toEqual({
      done: 6,
      stored: 1,
      repeated: 1,
      refused: 3,
      gone: 1,
      reasons: [
        { text: 'too deep', count: 2 },
        { text: 'no JSON', count: 1 },
      ],
      formats: ['map:gate'],
    });
    expect(first.done, 'what was there stays as it was').toBe(3);
  });
});

describe('the format of what was stored', () => {
  it.each([
    ['stored as map:gate', 'map:gate'],
    ['it was replayed before', null],
    ['', null],
  ])('%s', (text, format) => {
    expect(formatOf(text)).toBe(format);
  });
});
