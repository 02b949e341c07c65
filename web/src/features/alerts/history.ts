// The journal in words.
import { dispositionLook, statusLook } from '../../nouns/alert/alert';

const actions: Record<string, string> = {
  'alert.raise': 'Raised',
  'alert.repeat': 'Matched again',
  'alert.acknowledge': 'Acknowledged',
  'alert.assign': 'Assigned',
  'alert.close': 'Closed',
  'alert.reopen': 'Reopened',
  'alert.comment': 'Commented',
};

export function actionLabel(action: string): string {
  return actions[action] ?? action;
}

const fields: Record<string, string> = {
  lastSeen: 'Last seen',
  firstSeen: 'First seen',
  acknowledgedAt: 'Acknowledged at',
  closedAt: 'Closed at',
};

export function fieldLabel(field: string): string {
  return fields[field] ?? field.charAt(0).toUpperCase() + field.slice(1);
}

const labels: Record<string, string> = Object.fromEntries(
  [...Object.entries(statusLook), ...Object.entries(dispositionLook)].map(([value, { label }]) => [value, label]),
);

/** A value of the journal for people; "none" for what was not set. */
export function valueText(field: string, value: unknown): string {
  if (value === null || value === undefined || value === '') return field === 'assignee' ? 'nobody' : 'none';
  if (Array.isArray(value)) return value.join(', ');
  if (typeof value === 'object') return JSON.stringify(value);
  return labels[String(value)] ?? String(value);
}

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

export function isInstant(value: unknown): value is string {
  return typeof value === 'string' && instant.test(value);
}
