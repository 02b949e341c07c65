// The journal in words.
import { dispositionLook, statusLook } from '../alert/alert';

const actions: Record<string, string> = {
  'event.ingest': 'Events stored',
  'alert.raise': 'Raised',
  'alert.repeat': 'Matched again',
  'alert.acknowledge': 'Acknowledged',
  'alert.start': 'Work begun',
  'alert.assign': 'Assigned',
  'alert.close': 'Closed',
  'alert.reopen': 'Reopened',
  'alert.comment': 'Commented',
  'alert.severity': 'Severity set',
  'alert.tag': 'Tagged',
  'alert.merge': 'Merged',
  'alert.detach': 'Detached',
  'alert.claim': 'Claimed',
  'alert.release': 'Released',
  'alert.undo': 'Undone',
  'alert.incident': 'Moved between incidents',
  'rule.import': 'Imported',
  'rule.create': 'Written',
  'rule.update': 'Changed',
  'rule.enable': 'Enabled',
  'rule.disable': 'Disabled',
  'incident.create': 'Opened',
  'incident.update': 'Changed',
  'incident.assign': 'Assigned',
  'incident.close': 'Closed',
  'incident.reopen': 'Reopened',
  'incident.addAlerts': 'Alerts added',
  'incident.removeAlerts': 'Alerts removed',
  'incident.merge': 'Merged',
  'incident.split': 'Split',
  'incident.comment': 'Commented',
  'incident.taskAdd': 'Task added',
  'incident.taskUpdate': 'Task changed',
  'incident.taskDelete': 'Task removed',
  'incident.group': 'Alerts came by a grouping',
  'asset.discover': 'Seen first',
  'asset.update': 'Changed',
  'asset.silent': 'Fell silent',
  'asset.heard': 'Heard again',
};

export function actionLabel(action: string): string {
  return actions[action] ?? action;
}

const fields: Record<string, string> = {
  lastSeen: 'Last seen',
  firstSeen: 'First seen',
  acknowledgedAt: 'Acknowledged at',
  closedAt: 'Closed at',
  taskCount: 'Tasks',
  tasksDone: 'Tasks done',
  alertCount: 'Alerts',
  commentCount: 'Comments',
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

/** Whether it is about who looks at an alert, and changed nothing of it. */
export function isLook(action: string): boolean {
  return action === 'alert.claim' || action === 'alert.release';
}

/** "Status: New → Closed; Assignee: nobody → Ana", without times. */
export function changesText(changes: readonly { field: string; before: unknown; after: unknown }[]): string {
  return changes
    .filter(({ before, after }) => !isInstant(before) && !isInstant(after))
    .map(({ field, before, after }) => `${fieldLabel(field)}: ${valueText(field, before)} → ${valueText(field, after)}`)
    .join('; ');
}

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

export function isInstant(value: unknown): value is string {
  return typeof value === 'string' && instant.test(value);
}

export interface JournalActor {
  kind: 'USER' | 'TOKEN' | 'SYSTEM';
  name: string;
  user: { displayName: string } | null;
}

export function actorText(actor: JournalActor): string {
  if (actor.user) return actor.user.displayName;
  if (actor.kind === 'SYSTEM') return 'the system';
  return actor.kind === 'TOKEN' ? `token ${actor.name}` : actor.name;
}
