import { expect, test } from 'vitest';
import {
  type AlertFacts,
  conditionOf,
  draftOf,
  emptyDraft,
  endOf,
  filterOf,
  fromLocalInput,
  localInput,
  nameOf,
  offersOf,
  previewInput,
  saysSomething,
} from './draft';

const alert: AlertFacts = {
  title: 'Encoded PowerShell',
  rule: { id: 'r1', title: 'Encoded PowerShell' },
  host: 'ws-7',
  user: 'CORP\\ana',
  process: '',
  sourceIp: null,
  command: 'powershell.exe -enc "x"',
};

test('an alert offers what it has, and nothing that it has not', () => {
  expect(offersOf(alert).map((offer) => offer.id)).toEqual(['host', 'user', 'command']);
});

test('the chosen offers become query lines of the alert and of the event', () => {
  const draft = draftOf(alert, new Set(['host', 'user', 'command']));
  expect(draft.rules).toEqual([alert.rule]);
  expect(draft.alert).toEqual({ line: 'host:ws-7 user:"CORP\\\\ana"' });
  expect(draft.event).toEqual({ line: 'command:"powershell.exe -enc \\"x\\""' });
  expect(previewInput(draft, 30)).toEqual({
    rules: ['r1'],
    alertFilter: { query: 'host:ws-7 user:"CORP\\\\ana"' },
    eventFilter: { query: 'command:"powershell.exe -enc \\"x\\""' },
    days: 30,
  });
});

test('choosing again keeps what was written beside it', () => {
  const was = { ...emptyDraft, name: 'n', reason: 'r', until: '2027-01-01T00:00:00.000Z' };
  expect(draftOf(alert, new Set(['host']), was)).toMatchObject({ name: 'n', reason: 'r', until: was.until });
  expect(draftOf({ ...alert, rule: null }, new Set()).rules).toEqual([]);
});

test('what says nothing would hide everything', () => {
  expect(saysSomething(emptyDraft)).toBe(false);
  expect(saysSomething({ ...emptyDraft, alert: { line: '  ' } })).toBe(false);
  expect(saysSomething({ ...emptyDraft, event: { line: 'host:a' } })).toBe(true);
  expect(saysSomething({ ...emptyDraft, rules: [{ id: 'r', title: 't' }] })).toBe(true);
});

test('a filter that is more than a line is kept as it is', () => {
  for (const filter of [{ host: { eq: 'a' } }, { query: 'a', host: { eq: 'b' } }]) {
    expect(filterOf(conditionOf(filter))).toEqual(filter);
  }
  expect(conditionOf({ query: 'host:a' })).toEqual({ line: 'host:a' });
  expect(filterOf(conditionOf({}))).toBeNull();
});

test('the ends that are offered count from now, and stand as local times', () => {
  const now = Date.parse('2026-05-04T09:30:00Z');
  expect(endOf('7d', now)).toBe('2026-05-11T09:30:00.000Z');
  expect(endOf('never', now)).toBe('');
  expect(fromLocalInput(localInput('2026-05-11T09:30:00.000Z'))).toBe('2026-05-11T09:30:00.000Z');
  expect(fromLocalInput('')).toBe('');
  expect(fromLocalInput('no time')).toBe('');
});

test('a name fits what the server takes', () => {
  expect(nameOf(alert)).toBe('Encoded PowerShell on ws-7');
  expect(nameOf({ ...alert, title: 'x'.repeat(200) })).toHaveLength(100);
});
