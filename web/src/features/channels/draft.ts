// A channel while somebody writes it: what stands in the dialog, and what the API
// gets of it.
import type {
  ChannelCreateInput,
  ChannelKind,
  ChannelPreviewInput,
  ChannelQuietInput,
  ChannelSettingsInput,
  ChannelTrigger,
  ChannelUpdateInput,
  MailSecurity,
  Severity,
  Weekday,
} from '../../gql/schema';
import type { ChannelFactsFragment } from './Channels.generated';
import { type FieldName, kinds } from './kinds';

export interface Draft {
  kind: ChannelKind;
  name: string;
  /** Every field as it is typed, also those of other kinds: who looks at another kind loses nothing. */
  settings: Record<FieldName, string>;
  /** Empty: the one that is kept stays. */
  secret: string;
  query: string;
  trigger: ChannelTrigger;
  afterMinutes: string;
  groupMinutes: string;
  /** null: never. */
  quiet: QuietDraft | null;
  subject: string;
  text: string;
}

export interface QuietDraft {
  timeZone: string;
  from: string;
  to: string;
  /** Empty: every day. */
  days: readonly Weekday[];
  /** Empty: nothing breaks them. */
  unless: Severity | '';
}

/** ISO 8601 begins with Monday. */
export const weekdays: readonly Weekday[] = [
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
];

const noSettings: Draft['settings'] = {
  url: '',
  host: '',
  port: '587',
  security: 'STARTTLS',
  username: '',
  from: '',
  to: '',
  project: '',
  issueType: 'Task',
  repository: '',
  labels: '',
  header: '',
};

export const emptyDraft: Draft = {
  kind: 'SLACK',
  name: '',
  settings: noSettings,
  secret: '',
  query: 'severity:>=high',
  trigger: 'ALERT',
  afterMinutes: '15',
  groupMinutes: '5',
  quiet: null,
  subject: '',
  text: '',
};

/** Nights, told of at once where it is critical. */
export function firstQuiet(timeZone: string): QuietDraft {
  return { timeZone, from: '22:00', to: '07:00', days: [], unless: 'CRITICAL' };
}

export function draftOf(channel: ChannelFactsFragment): Draft {
  const { __typename: _, ...kept } = channel.settings;
  const { port, security, to, labels, ...texts } = kept;
  return {
    kind: channel.kind,
    name: channel.name,
    settings: {
      ...texts,
      port: port ? String(port) : '',
      security: security ?? '',
      to: to.join(', '),
      labels: labels.join(' '),
    },
    secret: '',
    query: channel.query,
    trigger: channel.trigger,
    afterMinutes: channel.trigger === 'UNACKNOWLEDGED' ? String(channel.afterMinutes) : emptyDraft.afterMinutes,
    groupMinutes: String(channel.groupMinutes),
    quiet: channel.quiet && {
      timeZone: channel.quiet.timeZone,
      from: channel.quiet.from,
      to: channel.quiet.to,
      days: channel.quiet.days,
      unless: channel.quiet.unless ?? '',
    },
    subject: channel.template.subject,
    text: channel.template.text,
  };
}

/** A whole number as it is typed; 0 for what is none, which the server refuses where it may not be. */
function whole(text: string): number {
  const n = Number(text);
  return Number.isInteger(n) ? Math.min(Math.max(n, 0), 2 ** 31 - 1) : 0;
}

/** The parts of a list as it is typed. */
function parts(text: string, between: RegExp): string[] {
  return text
    .split(between)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** What the kind needs, nothing else. */
export function settingsOf({ kind, settings }: Pick<Draft, 'kind' | 'settings'>): ChannelSettingsInput {
  const input: ChannelSettingsInput = {};
  for (const { name } of kinds[kind].fields) {
    const text = settings[name].trim();
    if (name === 'port') input.port = whole(text);
    else if (name === 'security') input.security = (text || null) as MailSecurity | null;
    else if (name === 'to')
      input.to = parts(text, /[,;\n]/); // a name before an address has spaces
    else if (name === 'labels') input.labels = parts(text, /[\s,]+/);
    else input[name] = text;
  }
  return input;
}

/** Whether the kind has a secret as the settings stand. */
export function hasSecret({ kind, settings }: Pick<Draft, 'kind' | 'settings'>): boolean {
  const { with: field } = kinds[kind].secret;
  return field === undefined || settings[field].trim() !== '';
}

/** The settings with another way to the mail server, and the port that is usual for it, unless one of one's own was typed. */
export function withSecurity(settings: Draft['settings'], security: string): Draft['settings'] {
  const usual: Record<string, string> = { TLS: '465', STARTTLS: '587' };
  const typed = settings.port !== '' && settings.port !== usual[settings.security];
  return { ...settings, security, port: typed ? settings.port : (usual[security] ?? settings.port) };
}

export function quietOf(quiet: QuietDraft | null): ChannelQuietInput | null {
  if (!quiet) return null;
  const days = weekdays.filter((day) => quiet.days.includes(day));
  return {
    timeZone: quiet.timeZone,
    from: quiet.from,
    to: quiet.to,
    days: days.length === weekdays.length ? [] : days,
    unless: quiet.unless || null,
  };
}

function commonOf(draft: Draft) {
  return {
    name: draft.name.trim(),
    settings: settingsOf(draft),
    query: draft.query.trim(),
    trigger: draft.trigger,
    afterMinutes: draft.trigger === 'UNACKNOWLEDGED' ? whole(draft.afterMinutes) : 0,
    groupMinutes: whole(draft.groupMinutes),
    quiet: quietOf(draft.quiet),
    template: { subject: draft.subject.trim(), text: draft.text },
  };
}

export function createInput(draft: Draft): ChannelCreateInput {
  return { ...commonOf(draft), kind: draft.kind, secret: hasSecret(draft) ? draft.secret.trim() : '' };
}

export function updateInput(draft: Draft, edited: { id: string; version: number }): ChannelUpdateInput {
  const secret = draft.secret.trim();
  return {
    id: edited.id,
    expectedVersion: edited.version,
    ...commonOf(draft),
    ...(!hasSecret(draft) ? { secret: '' } : secret && { secret }),
  };
}

export function previewInput(draft: Draft, grouped: boolean): ChannelPreviewInput {
  const { query, trigger, afterMinutes, template } = commonOf(draft);
  return { kind: draft.kind, query, trigger, afterMinutes, template, grouped };
}

/** Whether it can be sent: what has to be there is, a secret unless one is `kept`. What is wrong with it the server says. */
export function isReady(draft: Draft, kept: boolean): boolean {
  const missing = kinds[draft.kind].fields.some(({ name, required }) => required && draft.settings[name].trim() === '');
  const needsSecret = !kept && hasSecret(draft) && draft.secret.trim() === '';
  return draft.name.trim() !== '' && !missing && !needsSecret;
}

interface Problem {
  message: string;
  path?: readonly string[] | null;
}

/** What is wrong with the fields, by their paths, such as "settings.url"; "" for what is about none. */
export type Problems = Readonly<Record<string, string>>;

export function problemsOf(errors: readonly Problem[]): Problems {
  const problems: Record<string, string> = {};
  for (const { message, path } of errors) {
    const at = (path ?? []).join('.').replace(/^input\.?/, '');
    problems[at] ??= message;
  }
  return problems;
}

/** Whether the dialog has the field of a path, as the draft stands. */
export function hasField(draft: Draft, path: string): boolean {
  const [first, second] = path.split('.');
  if (first === 'settings') return kinds[draft.kind].fields.some(({ name }) => name === second);
  if (first === 'quiet') return draft.quiet !== null && second !== undefined && second in draft.quiet;
  if (first === 'template') return second === 'subject' || second === 'text';
  if (path === 'secret') return hasSecret(draft);
  if (path === 'afterMinutes') return draft.trigger === 'UNACKNOWLEDGED';
  return ['name', 'query', 'groupMinutes'].includes(path);
}

/** The time zones that the browser knows, UTC first, and the one that is set. */
export function timeZones(set: string): string[] {
  return [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone'), set])].filter((zone) => zone !== '');
}
