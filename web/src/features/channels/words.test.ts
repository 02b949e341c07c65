import { expect, test } from 'vitest';
import { groupText, quietText, triggerText } from './words';

test('when it tells', () => {
  expect(triggerText({ trigger: 'ALERT', afterMinutes: 0 })).toBe('at once');
  expect(triggerText({ trigger: 'UNACKNOWLEDGED', afterMinutes: 1 })).toBe('after 1 minute');
  expect(triggerText({ trigger: 'UNACKNOWLEDGED', afterMinutes: 90 })).toBe('after 90 minutes');
  expect(triggerText({ trigger: 'UNACKNOWLEDGED', afterMinutes: 120 })).toBe('after 2 hours');
  expect(triggerText({ trigger: 'UNACKNOWLEDGED', afterMinutes: 1_440 })).toBe('after 1 day');
  expect(groupText(0)).toBe('each alert by itself');
  expect(groupText(5)).toBe('at most one message in 5 minutes');
});

test('when it keeps still', () => {
  const quiet = { __typename: 'ChannelQuiet' as const, timeZone: 'UTC', from: '22:00', to: '07:00' };
  expect(quietText({ ...quiet, days: [], unless: null })).toBe('22:00 to 07:00 (UTC)');
  expect(quietText({ ...quiet, days: ['TUESDAY', 'MONDAY'], unless: 'HIGH' })).toBe(
    '22:00 to 07:00 (UTC), beginning on Mon, Tue; not for High or worse',
  );
});
