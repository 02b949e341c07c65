// The audit log's filters as they stand in the URL, and as the API takes them.
import type { JournalFilter } from '../../gql/schema';
import { boundsOf, readRange, type TimeRange } from '../../nouns/time/range';

export const kinds = [
  'Alert',
  'Incident',
  'Rule',
  'User',
  'Session',
  'APIToken',
  'Asset',
  'IncidentTask',
  'IncidentGrouping',
  'Suppression',
  'Webhook',
  'Channel',
  'Comment',
  'Settings',
  'Export',
  'Job',
  'SavedView',
  'SavedOperation',
] as const;

export interface AuditSearch extends TimeRange {
  action?: string;
  actor?: string;
  kind?: string;
  /** The entry that is open, by its cursor. */
  entry?: string;
}

export function readSearch(raw: Record<string, unknown>): AuditSearch {
  const text = (value: unknown) => (typeof value === 'string' ? value.slice(0, 100) || undefined : undefined);
  const search: AuditSearch = {
    ...readRange(raw),
    action: text(raw.action),
    actor: text(raw.actor),
    kind: kinds.find((kind) => kind === raw.kind),
    entry: text(raw.entry),
  };
  return Object.fromEntries(Object.entries(search).filter(([, v]) => v !== undefined));
}

/** What shippers send is left out unless an action is asked for: it would drown what people do. */
export function apiFilter(search: AuditSearch, now: number): JournalFilter {
  const { from, to } = boundsOf(search, '30d', now);
  const ranged = search.since || search.from;
  return {
    ...(search.action ? { action: { startsWith: search.action } } : { not: { action: { eq: 'event.ingest' } } }),
    ...(search.actor && { actor: { eq: search.actor } }),
    ...(search.kind && { kind: { has: search.kind } }),
    // A stretch up to now has no end: what is done next belongs to it.
    ...(ranged && {
      at: { gte: new Date(from).toISOString(), ...(search.from && { lte: new Date(to).toISOString() }) },
    }),
  };
}
