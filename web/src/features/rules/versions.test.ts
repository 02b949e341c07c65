import { describe, expect, test } from 'vitest';
import { latestOf, readEditorSearch, sourceOf } from './versions';

describe('the comparison in the URL', () => {
  test.each([
    [{}, {}],
    [{ tab: 'versions' }, { tab: 'versions' }],
    [
      { tab: 'versions', from: '1', to: 'editor' },
      { tab: 'versions', from: '1', to: 'editor' },
    ],
    [
      { tab: 'versions', from: 2, to: '7' },
      { tab: 'versions', from: '2', to: '7' },
    ],
    [{ tab: 'versions', from: '1' }, { tab: 'versions' }],
    [{ tab: 'versions', from: '0', to: '-1' }, { tab: 'versions' }],
    [{ tab: 'test', from: '1', to: '2' }, {}],
    [{ tab: 'live', job: 'x' }, { tab: 'live' }],
    [{ tab: 'backtest' }, { tab: 'backtest' }],
    [{ tab: 'backtest', job: 7 }, { tab: 'backtest' }],
    [
      { tab: 'backtest', job: 'abc', from: '1' },
      { tab: 'backtest', job: 'abc' },
    ],
  ])('%j is read as %j', (raw, want) => expect(readEditorSearch(raw)).toEqual(want));
});

test('a side is a version, or the text in the editor', () => {
  const versions = [2, 1].map((version) => ({ version, source: `v${version}`, createdAt: '' }));
  expect(latestOf(versions)).toBe(2);
  expect(sourceOf('1', 'typed', versions)).toBe('v1');
  expect(sourceOf('editor', 'typed', versions)).toBe('typed');
  expect(sourceOf('9', 'typed', versions)).toBeNull();
});
