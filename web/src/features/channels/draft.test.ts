import { describe, expect, test } from 'vitest';
import type { ChannelFactsFragment } from './Channels.generated';
import {
  createInput,
  type Draft,
  draftOf,
  emptyDraft,
  firstQuiet,
  hasField,
  hasSecret,
  isReady,
  previewInput,
  problemsOf,
  quietOf,
  settingsOf,
  timeZones,
  updateInput,
  weekdays,
  withSecurity,
} from './draft';
import { kindNames, kinds } from './kinds';

/** A draft in which every field has something. */
const full: Draft = {
  ...emptyDraft,
  name: ' Night shift ',
  settings: {
    url: ' https://example.com/hook ',
    host: 'smtp.example.com',
    port: '465',
    security: 'TLS',
    username: 'soc',
    from: 'SOC <soc@example.com>',
    to: 'Ana Maria <ana@example.com>, ben@example.com;\ncy@example.com\n',
    project: 'SEC',
    issueType: 'Task',
    repository: 'acme/incidents',
    labels: 'secmon, urgent  night',
    header: 'Authorization',
  },
  secret: ' s3cret ',
};

describe('settings', () => {
  test.each(kindNames)('%s sends what it needs, nothing of another', (kind) => {
    const names = kinds[kind].fields.map(({ name }) => name);
    expect(Object.keys(settingsOf({ ...full, kind })).sort()).toEqual([...names].sort());
  });

  test('lists and numbers are taken apart', () => {
    expect(settingsOf({ ...full, kind: 'EMAIL' })).toEqual({
      host: 'smtp.example.com',
      port: 465,
      security: 'TLS',
      username: 'soc',
      from: 'SOC <soc@example.com>',
      to: ['Ana Maria <ana@example.com>', 'ben@example.com', 'cy@example.com'],
    });
    expect(settingsOf({ ...full, kind: 'GITHUB' })).toMatchObject({ labels: ['secmon', 'urgent', 'night'] });
  });

  test('the port goes with the way, unless it is one of its own', () => {
    const { settings } = emptyDraft;
    expect(withSecurity(settings, 'TLS')).toMatchObject({ security: 'TLS', port: '465' });
    expect(withSecurity({ ...settings, port: '2525' }, 'TLS')).toMatchObject({ security: 'TLS', port: '2525' });
    expect(withSecurity({ ...settings, port: '' }, 'TLS').port).toBe('465');
  });
});

describe('the secret', () => {
  test('mail without a user name, and a header that is none, have no secret', () => {
    const settings = { ...full.settings, username: ' ', header: '' };
    expect(kindNames.filter((kind) => !hasSecret({ kind, settings }))).toEqual(['EMAIL', 'GENERIC']);
    expect(createInput({ ...full, kind: 'GENERIC', settings }).secret, 'one that was typed before').toBe('');
    expect(createInput({ ...full, kind: 'GENERIC' }).secret).toBe('s3cret');
  });

  test('left empty it stays: it is not sent', () => {
    const edited = { id: 'c1', version: 3 };
    expect(updateInput({ ...full, secret: ' ' }, edited)).not.toHaveProperty('secret');
    expect(updateInput(full, edited)).toMatchObject({ id: 'c1', expectedVersion: 3, secret: 's3cret' });
    const headless = { ...full, kind: 'GENERIC' as const, settings: { ...full.settings, header: '' } };
    expect(updateInput(headless, edited).secret, 'without a header it goes').toBe('');
  });

  test('a new channel waits for it, one that is there does not', () => {
    expect(isReady({ ...full, secret: '' }, false)).toBe(false);
    expect(isReady({ ...full, secret: '' }, true)).toBe(true);
    expect(isReady({ ...full, kind: 'GENERIC', settings: { ...full.settings, header: '' }, secret: '' }, false)).toBe(
      true,
    );
  });
});

test('what has to be there is waited for, what another kind needs is not', () => {
  const ready = (kind: Draft['kind'], part: Partial<Draft['settings']>) =>
    isReady({ ...full, kind, settings: { ...full.settings, ...part } }, false);
  expect(ready('JIRA', { project: ' ' })).toBe(false);
  expect(ready('GITHUB', { project: '' })).toBe(true);
  expect(ready('EMAIL', { to: '' })).toBe(false);
  expect(isReady({ ...full, name: ' ' }, false)).toBe(false);
});

describe('quiet hours', () => {
  const quiet = firstQuiet('Europe/Berlin');

  test('none are null, which ends those that were', () => {
    expect(quietOf(null)).toBeNull();
    expect(updateInput(full, { id: 'c1', version: 1 })).toHaveProperty('quiet', null);
  });

  test('days stand in the order of the week, and all seven are every day', () => {
    expect(quietOf({ ...quiet, days: ['SUNDAY', 'MONDAY'] })?.days).toEqual(['MONDAY', 'SUNDAY']);
    expect(quietOf({ ...quiet, days: weekdays })?.days).toEqual([]);
    expect(quietOf({ ...quiet, unless: '' })?.unless).toBeNull();
  });

  test('time zones have UTC and the one that is set, once each', () => {
    const zones = timeZones('Mars/Olympus');
    expect(zones).toEqual(expect.arrayContaining(['UTC', 'Europe/London', 'Mars/Olympus']));
    expect(new Set(zones).size).toBe(zones.length);
    expect(timeZones('UTC').filter((zone) => zone === 'UTC')).toHaveLength(1);
  });
});

test('minutes count where they are asked for, and what is no number is left to the server', () => {
  expect(createInput({ ...full, afterMinutes: '30', groupMinutes: '0' })).toMatchObject({
    trigger: 'ALERT',
    afterMinutes: 0,
    groupMinutes: 0,
  });
  const escalation: Draft = { ...full, trigger: 'UNACKNOWLEDGED', afterMinutes: '30' };
  expect(previewInput(escalation, true)).toMatchObject({ afterMinutes: 30, grouped: true });
  expect(previewInput({ ...escalation, afterMinutes: '' }, false).afterMinutes).toBe(0);
  expect(previewInput({ ...escalation, afterMinutes: '1.5' }, false).afterMinutes).toBe(0);
  expect(previewInput({ ...escalation, afterMinutes: '99999999999' }, false).afterMinutes).toBe(2_147_483_647);
});

const kept = {
  __typename: 'Channel',
  id: 'c1',
  version: 7,
  name: 'Night shift',
  kind: 'EMAIL',
  settings: {
    __typename: 'ChannelSettings',
    url: '',
    host: 'smtp.example.com',
    port: 465,
    security: 'TLS',
    username: '',
    from: 'soc@example.com',
    to: ['ana@example.com', 'ben@example.com'],
    project: '',
    issueType: '',
    repository: '',
    labels: [],
    header: '',
  },
  query: 'severity:>=high',
  trigger: 'UNACKNOWLEDGED',
  afterMinutes: 30,
  groupMinutes: 0,
  quiet: { __typename: 'ChannelQuiet', timeZone: 'UTC', from: '22:00', to: '07:00', days: ['FRIDAY'], unless: null },
  template: { __typename: 'ChannelTemplate', subject: '{{.Total}}', text: '' },
} as unknown as ChannelFactsFragment;

test('a channel that is opened and saved says what it said', () => {
  const { to, host, port, security, username, from } = kept.settings;
  expect(updateInput(draftOf(kept), kept)).toEqual({
    id: 'c1',
    expectedVersion: 7,
    secret: '', // nobody signs in
    name: 'Night shift',
    settings: { to, host, port, security, username, from },
    query: 'severity:>=high',
    trigger: 'UNACKNOWLEDGED',
    afterMinutes: 30,
    groupMinutes: 0,
    quiet: { timeZone: 'UTC', from: '22:00', to: '07:00', days: ['FRIDAY'], unless: null },
    template: { subject: '{{.Total}}', text: '' },
  });
});

describe('problems', () => {
  test('they stand at their field, whichever way its path is written', () => {
    expect(
      problemsOf([
        { message: 'no address', path: ['input', 'settings.url'] },
        { message: 'no zone', path: ['input', 'quiet', 'timeZone'] },
        { message: 'second', path: ['input', 'settings', 'url'] },
        { message: 'about none', path: null },
      ]),
    ).toEqual({ 'settings.url': 'no address', 'quiet.timeZone': 'no zone', '': 'about none' });
  });

  test('what the dialog does not show has no field', () => {
    const draft: Draft = { ...full, kind: 'GENERIC', quiet: firstQuiet('UTC') };
    for (const path of ['settings.url', 'template.text', 'quiet.timeZone', 'secret', 'name', 'query']) {
      expect(hasField(draft, path), path).toBe(true);
    }
    for (const path of ['', 'settings.host', 'afterMinutes', 'kind', 'quiet']) {
      expect(hasField(draft, path), path).toBe(false);
    }
    expect(hasField({ ...draft, quiet: null }, 'quiet.from')).toBe(false);
  });
});
