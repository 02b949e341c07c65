import { expect, test } from 'vitest';
import { changesOf, type Day, keepProblem, leaves, lossOf, type Rule, ruleProblem, sourceText } from './retention';

const rule = (keep: string, source: Partial<Rule> = {}): Rule => ({
  name: '',
  product: '',
  category: '',
  service: '',
  format: '',
  keep,
  ...source,
});
const flows = (keep: string) => rule(keep, { format: 'vpcflow' });
const told = (...args: Parameters<typeof changesOf>) =>
  changesOf(...args).map((c) => `${sourceText(c.source)}: ${c.from} ${c.shorter ? '>' : '<'} ${c.to}`);

const now = Date.parse('2026-05-20T06:00:00Z');
const day = (n: number): Day => ({ day: `2026-05-${String(n).padStart(2, '0')}T00:00:00Z`, events: 10, bytes: 100 });

test.each<[string, Parameters<typeof changesOf>, string[]]>([
  [
    'nothing',
    [
      { keep: 'P90D', rules: [] },
      { keep: 'PT2160H', rules: [] },
    ],
    [],
  ],
  [
    'the default alone',
    [
      { keep: 'P90D', rules: [] },
      { keep: 'P30D', rules: [] },
    ],
    ['all other events: P90D > P30D'],
  ],
  [
    'for ever is longer than anything',
    [
      { keep: 'PT0S', rules: [] },
      { keep: 'P900D', rules: [] },
    ],
    ['all other events: PT0S > P900D'],
  ],
  [
    'a rule that is new takes its events from the default',
    [
      { keep: 'P90D', rules: [] },
      { keep: 'P90D', rules: [flows('P7D')] },
    ],
    ['format vpcflow: P90D > P7D'],
  ],
  [
    'a rule that goes gives them back',
    [
      { keep: 'P90D', rules: [flows('P400D')] },
      { keep: 'P90D', rules: [] },
    ],
    ['format vpcflow: P400D > P90D'],
  ],
  [
    'a shorter default does not touch what a rule keeps',
    [
      { keep: 'P90D', rules: [flows('P400D')] },
      { keep: 'P30D', rules: [flows('P400D')] },
    ],
    ['all other events: P90D > P30D'],
  ],
  [
    'the order decides where two rules fit',
    [
      { keep: 'P90D', rules: [rule('P400D', { product: 'aws' }), flows('P7D')] },
      { keep: 'P90D', rules: [flows('P7D'), rule('P400D', { product: 'aws' })] },
    ],
    ['product aws, format vpcflow: P400D > P7D'],
  ],
  [
    'two texts of a field never meet',
    [
      { keep: 'P90D', rules: [flows('P7D')] },
      { keep: 'P90D', rules: [rule('P7D', { format: 'cef' })] },
    ],
    ['format vpcflow: P7D < P90D', 'format cef: P90D > P7D'],
  ],
])('whose time changes: %s', (_, args, want) => expect(told(...args)).toEqual(want));

test('a day ends a day after its beginning and the time that is kept', () => {
  expect(leaves(day(1).day, { keep: 'P10D', rules: [] })).toBe(Date.parse('2026-05-12T00:00:00Z'));
  expect(leaves(day(1).day, { keep: 'P10D', rules: [flows('P7D')] })).toBe(Date.parse('2026-05-12T00:00:00Z'));
  expect(leaves(day(1).day, { keep: 'P10D', rules: [flows('PT0S')] })).toBeNull();
});

test('what goes by a change: whole days, parts of days, and nothing that goes anyway', () => {
  const days = Array.from({ length: 20 }, (_, i) => day(i + 1));
  const was = { keep: 'P15D', rules: [] };
  const numbers = (all: readonly Day[]) => all.map((d) => Number(d.day.slice(8, 10)));
  const shorter = lossOf(days, was, { keep: 'P10D', rules: [flows('P7D')] }, now);
  // Those up to the 4th go by the old setting; of the 20th, 10 days are kept, and the 10th is not over by then.
  expect(numbers(shorter.whole)).toEqual([5, 6, 7, 8, 9]);
  expect(numbers(shorter.part)).toEqual([10, 11, 12]);
  const longer = lossOf(days, was, { keep: 'PT0S', rules: [] }, now);
  expect([longer.whole, longer.part]).toEqual([[], []]);
});

test('what is not saved', () => {
  expect(ruleProblem(rule('P7D', { name: 'flows', format: ' ' }))).toMatch(/at least one/);
  expect(ruleProblem(flows('P7D'))).toBeNull();
  expect(keepProblem('PT1H')).toMatch(/A day at least/);
  expect(keepProblem('')).not.toBeNull();
  expect(keepProblem('PT0S')).toBeNull();
});
