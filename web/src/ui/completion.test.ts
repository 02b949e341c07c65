import { describe, expect, test } from 'vitest';
import { complete } from './completion';

const fields = [
  { name: 'severity', aliases: ['level'], kind: 'ENUM', values: ['HIGH', 'CRITICAL', 'LOW'] },
  { name: 'host', aliases: [], kind: 'TEXT', values: [] },
];
const inserts = (text: string, caret = text.length) => complete(text, caret, fields).choices.map((c) => c.insert);

describe('completion of a query line', () => {
  test.each([
    ['se', ['severity:']],
    ['lev', ['severity:']],
    ['-ho', ['host:']],
    ['a (ho', ['host:']],
    ['severity:h', ['high ']],
    ['severity:', ['high ', 'critical ', 'low ']],
    ['severity:high', []],
    ['host:x', []],
    ['', []],
    ['"se', []],
    ['"a b" se', ['severity:']],
  ])('%s', (text, want) => expect(inserts(text)).toEqual(want));

  test('it replaces the word, not what stands around it', () => {
    expect(complete('host:a -sev AND b', 11, fields)).toMatchObject({ from: 8, to: 11 });
    expect(complete('severity:cr', 11, fields)).toMatchObject({ from: 9, to: 11 });
  });
});
