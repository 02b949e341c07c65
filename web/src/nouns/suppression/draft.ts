// A suppression while somebody writes it: what stands in the dialog, and what the
// API gets of it.
import type { SuppressionPreviewInput } from '../../gql/schema';
import { withCondition } from '../query/condition';

export interface RuleName {
  id: string;
  title: string;
}

export interface Draft {
  name: string;
  reason: string;
  /** Empty: any. */
  rules: readonly RuleName[];
  alert: Condition;
  event: Condition;
  /** ISO instant; empty: no end. */
  until: string;
}

/** A query line; or a filter that is more than a line, which only the API can change. */
export type Condition = { line: string } | { filter: object };

/** The filter of the API as a condition. */
export function conditionOf(filter: unknown): Condition {
  if (typeof filter !== 'object' || filter === null) return { line: '' };
  const names = Object.keys(filter);
  if (names.length === 0) return { line: '' };
  const { query } = filter as { query?: unknown };
  return names.length === 1 && typeof query === 'string' ? { line: query } : { filter };
}

/** The condition as a filter of the API; null for none. */
export function filterOf(condition: Condition): object | null {
  if ('filter' in condition) return condition.filter;
  return condition.line.trim() ? { query: condition.line.trim() } : null;
}

/** What a condition says, in a line. */
export function conditionText(condition: Condition): string {
  return 'filter' in condition ? JSON.stringify(condition.filter) : condition.line;
}

/** Whether it says anything of which findings: what does not would hide all. */
export function saysSomething(draft: Draft): boolean {
  return draft.rules.length > 0 || filterOf(draft.alert) !== null || filterOf(draft.event) !== null;
}

export function previewInput(draft: Draft, days: number): SuppressionPreviewInput {
  return {
    rules: draft.rules.map((rule) => rule.id),
    alertFilter: filterOf(draft.alert),
    eventFilter: filterOf(draft.event),
    days,
  };
}

export const emptyDraft: Draft = {
  name: '',
  reason: '',
  rules: [],
  alert: { line: '' },
  event: { line: '' },
  until: '',
};

/** What an alert is about, as far as a suppression can be made of it. */
export interface AlertFacts {
  title: string;
  rule: RuleName | null;
  host: string;
  user: string;
  process: string;
  sourceIp: string | null;
  command: string;
}

/** A condition that an alert offers. */
export interface Offer {
  id: 'host' | 'user' | 'source' | 'process' | 'command';
  label: string;
  value: string;
  of: 'alert' | 'event';
  /** The field of the query line. */
  field: string;
}

export function offersOf(alert: AlertFacts): Offer[] {
  const all: Offer[] = [
    { id: 'host', label: 'Host', value: alert.host, of: 'alert', field: 'host' },
    { id: 'user', label: 'User', value: alert.user, of: 'alert', field: 'user' },
    { id: 'source', label: 'Source', value: alert.sourceIp ?? '', of: 'alert', field: 'sourceIp' },
    { id: 'process', label: 'Process', value: alert.process, of: 'alert', field: 'process' },
    { id: 'command', label: 'Command', value: alert.command, of: 'event', field: 'command' },
  ];
  return all.filter((offer) => offer.value !== '');
}

/** The draft for an alert with the chosen offers: its rule, and each of them. */
export function draftOf(alert: AlertFacts, chosen: ReadonlySet<Offer['id']>, was: Draft = emptyDraft): Draft {
  const line = (of: Offer['of']) =>
    offersOf(alert)
      .filter((offer) => offer.of === of && chosen.has(offer.id))
      .reduce((text, offer) => withCondition(text, offer.field, offer.value), '');
  return {
    ...was,
    rules: alert.rule ? [alert.rule] : [],
    alert: { line: line('alert') },
    event: { line: line('event') },
  };
}

/** The first name of a suppression of an alert. */
export function nameOf(alert: AlertFacts): string {
  return [alert.title, alert.host && `on ${alert.host}`].filter(Boolean).join(' ').slice(0, 100);
}

/** How long one may last, by hand. */
export const presets: readonly (readonly [id: string, label: string, hours: number])[] = [
  ['1d', '1 day', 24],
  ['7d', '7 days', 7 * 24],
  ['30d', '30 days', 30 * 24],
  ['90d', '90 days', 90 * 24],
];

export function endOf(preset: string, now: number): string {
  const hours = presets.find(([id]) => id === preset)?.[2];
  return hours === undefined ? '' : new Date(now + hours * 3_600_000).toISOString();
}

/** An instant as an input of type datetime-local has it, in local time. */
export function localInput(instant: string): string {
  if (!instant) return '';
  const at = new Date(instant);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The other way round; empty for what is no time. */
export function fromLocalInput(text: string): string {
  const at = new Date(text);
  return text && !Number.isNaN(at.getTime()) ? at.toISOString() : '';
}
