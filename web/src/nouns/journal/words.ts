// The journal in words.

import { legible } from '../../ui/legible';
import { dispositionLook, statusLook } from '../alert/alert';
import { formatDuration } from '../time/duration';

const actions: Record<string, string> = {
  'database.restore': 'Restored from a backup',
  'feed.epoch': 'Feeds begun anew',
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
  'user.create': 'Person added',
  'user.update': 'Person changed',
  'user.password': 'Password set',
  'user.secondFactor': 'Second factor changed',
  'user.recoveryCode': 'Recovery code used',
  'session.login': 'Logged in',
  'session.revoke': 'Login ended',
  'token.create': 'Token made',
  'token.revoke': 'Token revoked',
  'job.start': 'Job begun',
  'job.progress': 'Job went on',
  'job.end': 'Job ended',
  'settings.update': 'Settings changed',
  'indicator.create': 'Indicator added',
  'indicator.update': 'Indicator changed',
  'indicator.delete': 'Indicator taken away',
  'indicator.import': 'Indicators imported',
  'placeholder.update': 'Values of a placeholder set',
  'placeholder.delete': 'Values of a placeholder deleted',
  'rule.state': 'Runs or waits, by its placeholders',
  'saved.create': 'Saved',
  'saved.update': 'Saved anew',
  'saved.delete': 'Removed from what is saved',
  'export.create': 'Export asked for',
  'export.take': 'Export downloaded',
  'source.found': 'First heard of',
  'source.count': 'Counted',
  'source.update': 'Source changed',
  'source.delete': 'Source forgotten',
  'source.silent': 'Fell silent',
  'source.return': 'Heard of again',
  'deadletter.keep': 'Records refused and kept',
  'deadletter.replay': 'Refused records sent again',
  'deadletter.delete': 'Refused records deleted',
  'mapping.create': 'Mapping made',
  'mapping.update': 'Mapping changed',
  'mapping.delete': 'Mapping removed',
  'event.archive': 'Old events archived',
  'event.restore': 'Archived events brought back',
  'webhook.create': 'Webhook made',
  'webhook.update': 'Webhook changed',
  'webhook.delete': 'Webhook removed',
  'webhook.rotateSecret': 'New secret made',
  'webhook.replay': 'Replayed',
  'webhook.test': 'Test sent',
  'webhook.redeliver': 'Delivery sent again',
  'webhook.pause': 'Stopped by itself',
  'webhook.resume': 'Let go on',
  'channel.create': 'Channel made',
  'channel.update': 'Channel changed',
  'channel.delete': 'Channel removed',
  'channel.test': 'Test sent',
  'channel.redeliver': 'Message sent again',
  'channel.pause': 'Stopped by itself',
  'channel.resume': 'Let go on',
  'suppression.create': 'Suppression made',
  'suppression.update': 'Suppression changed',
  'suppression.delete': 'Suppression removed',
  'suppression.enable': 'Suppression switched on',
  'suppression.disable': 'Suppression switched off',
  'suppression.expire': 'Suppression expired',
  'incidentGrouping.create': 'Grouping made',
  'incidentGrouping.update': 'Grouping changed',
  'incidentGrouping.delete': 'Grouping removed',
};

/** What was done, in words; an action that has none by its own name, "token.create" as "Token create". */
export function actionLabel(action: string): string {
  return actions[action] ?? spaced(action.replace('.', ' '));
}

/** "taskCount" as "Task count". */
function spaced(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** "IncidentTask" as "Task of an incident": what was changed, in words. */
export function kindLabel(kind: string): string {
  return kinds[kind] ?? spaced(kind);
}

const kinds: Record<string, string> = {
  APIToken: 'API token',
  User: 'Person',
  Session: 'Login',
  IncidentTask: 'Task',
  IncidentGrouping: 'Grouping',
};

/** Fields whose name, taken apart, does not say it. */
const fields: Record<string, string> = {
  taskCount: 'Tasks',
  tasksDone: 'Tasks done',
  alertCount: 'Alerts',
  commentCount: 'Comments',
};

export function fieldLabel(field: string): string {
  return fields[field] ?? spaced(field);
}

const labels: Record<string, string> = Object.fromEntries(
  [...Object.entries(statusLook), ...Object.entries(dispositionLook)].map(([value, { label }]) => [value, label]),
);

/** Fields that the journal keeps in nanoseconds. */
const durations = new Set(['silentAfter', 'window', 'sessionLifetime', 'eventRetention', 'journalMaxAge']);

/** A value of the journal for people; "none" for what was not set. */
export function valueText(field: string, value: unknown): string {
  if (value === null || value === undefined || value === '') return field === 'assignee' ? 'nobody' : 'none';
  if (durations.has(field) && typeof value === 'number') {
    return value === 0 ? 'none' : formatDuration(`PT${value / 1e9}S`);
  }
  if (Array.isArray(value)) return legible(value.join(', '));
  if (typeof value === 'object') return legible(JSON.stringify(value));
  return labels[String(value)] ?? legible(String(value));
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
  if (actor.user) return legible(actor.user.displayName);
  if (actor.kind === 'SYSTEM') return 'the system';
  return legible(actor.kind === 'TOKEN' ? `token ${actor.name}` : actor.name);
}
