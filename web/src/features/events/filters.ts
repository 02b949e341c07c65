// The event list's filters as they stand in the URL, and as the API takes them.
import type { EventClass, EventField, EventFilter, Severity } from '../../gql/schema';
import { eventClasses } from '../../nouns/event/event';
import { severities } from '../../nouns/severity/severity';
import { readRange, type TimeRange } from '../../nouns/time/range';
import { columnIds } from './columns';

export interface EventSearch extends TimeRange {
  /** A query line. */
  q?: string;
  /** "process_activity". */
  class?: string;
  /** Severity from which on, "high". */
  severity?: string;
  host?: string;
  user?: string;
  /** The fields whose values stand beside the list, "host" or "host,user" (at most three); "off": none. */
  group?: string;
  /** The columns, "time,host"; absent: the usual ones. */
  cols?: string;
  /** The event that is open. */
  event?: string;
}

export const groupFields: readonly EventField[] = [
  'HOST',
  'USER',
  'PROCESS',
  'CLASS',
  'ACTION',
  'SOURCE_IP',
  'DESTINATION_IP',
  'PRODUCT',
  'CATEGORY',
  'SERVICE',
  'FORMAT',
  'OUTCOME',
  'SEVERITY',
  'DOMAIN',
  'FILE_PATH',
  'FILE_HASH',
];

/** How many fields can be counted together. */
export const mostGroupFields = 3;

/** The fields of `EventSearch.group`; HOST unless told otherwise. */
export function groupOf(group: string | undefined): readonly EventField[] {
  const fields = group?.split(',').map((field) => field.toUpperCase() as EventField) ?? [];
  return fields.length > 0 ? fields : ['HOST'];
}

/** The fields as they stand in the URL; absent for the usual one. */
export function formatGroup(fields: readonly EventField[]): string | undefined {
  const group = fields.join(',').toLowerCase();
  return group === 'host' || !group ? undefined : group;
}

const lineNames: Partial<Record<EventField, string>> = {
  SOURCE_IP: 'sourceIp',
  DESTINATION_IP: 'destinationIp',
  FILE_PATH: 'filePath',
  FILE_HASH: 'fileHash',
};

/** What a field is called in a query line. */
export function lineName(field: EventField): string {
  return lineNames[field] ?? field.toLowerCase();
}

function rangeFilter({ since, from, to }: TimeRange): EventFilter {
  if (from && to) return { occurredAt: { gte: from, lt: to } };
  return since ? { occurredAt: { gte: `now-${since}` } } : {};
}

/** Reads what stands in the URL; what makes no sense is left out. */
export function readSearch(raw: Record<string, unknown>): EventSearch {
  const search: EventSearch = {
    q: text(raw.q),
    class: known(raw.class, eventClasses),
    severity: known(raw.severity, severities),
    host: text(raw.host),
    user: text(raw.user),
    group: raw.group === 'off' ? 'off' : readGroup(raw.group),
    cols: readColumns(raw.cols),
    event: text(raw.event),
    ...readRange(raw),
  };
  return Object.fromEntries(Object.entries(search).filter(([, v]) => v !== undefined));
}

export function apiFilter(search: EventSearch): EventFilter {
  return {
    ...(search.q && { query: search.q }),
    ...rangeFilter(search),
    ...(search.class && { class: { eq: search.class.toUpperCase() as EventClass } }),
    ...(search.severity && { severity: { gte: search.severity.toUpperCase() as Severity } }),
    ...(search.host && { host: { eq: search.host } }),
    ...(search.user && { user: { eq: search.user } }),
  };
}

function readGroup(raw: unknown): string | undefined {
  if (typeof raw !== 'string') return undefined;
  const fields = raw.split(',').flatMap((field) => known(field, groupFields) ?? []);
  return [...new Set(fields)].slice(0, mostGroupFields).join(',') || undefined;
}

function readColumns(raw: unknown): string | undefined {
  if (typeof raw !== 'string') return undefined;
  const wanted = raw.split(',');
  return columnIds.filter((id) => wanted.includes(id)).join(',') || undefined;
}

function text(raw: unknown): string | undefined {
  return typeof raw === 'string' || typeof raw === 'number' ? String(raw).slice(0, 2_000) || undefined : undefined;
}

function known(raw: unknown, values: readonly string[]): string | undefined {
  const wanted = typeof raw === 'string' ? raw.toUpperCase() : '';
  return values.includes(wanted) ? wanted.toLowerCase() : undefined;
}
