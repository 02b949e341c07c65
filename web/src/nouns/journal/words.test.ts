import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { actionLabel, fieldLabel, kindLabel, valueText } from './words';

const journal = readFileSync('../monitor/journal.go', 'utf8');
const actions = [...journal.matchAll(/^\tAction\w+\s*= "([\w.]+)"/gm)].map(([, action]) => action ?? '');

test('there are actions to look at', () => expect(actions.length).toBeGreaterThan(60));

test.each(actions)('%s is said in words', (action) => {
  expect(actionLabel(action)).not.toContain('.');
  // One without words of its own would only be its own name taken apart.
  expect(actionLabel(action).toLowerCase()).not.toBe(action.replace('.', ' ').toLowerCase());
});

test('a name that nobody has put into words is taken apart', () => {
  expect(actionLabel('thing.newlyMade')).toBe('Thing newly made');
  expect(fieldLabel('acknowledgedAt')).toBe('Acknowledged at');
  expect(fieldLabel('taskCount')).toBe('Tasks');
  expect(kindLabel('SavedView')).toBe('Saved view');
  expect(kindLabel('IncidentTask')).toBe('Task');
});

test('durations of the journal are said in words', () => {
  expect(valueText('silentAfter', 900_000_000_000)).toBe('15 minutes');
  expect(valueText('eventRetention', 90 * 86_400 * 1e9)).toBe('90 days');
  expect(valueText('silentAfter', 0)).toBe('none');
  expect(valueText('count', 900_000_000_000), 'other numbers stay').toBe('900000000000');
});
