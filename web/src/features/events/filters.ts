// The event list's filters as they stand in the URL, and as the API takes them.
import type { EventClass, EventField, EventFilter, Severity } from '../../gql/schema';
import { eventClasses } from '../../nouns/event/event';
import { severities } from '../../nouns/severity/severity';
import { readRange, type TimeRange } from '../../nouns/time/range';

export interface EventSearch extends TimeRange {
  /** A query line. */
  q?: string;
  /** "process_activity". */
  class?: string;
  /** Severity from which on, "high". */
  severity?: string;
  host?: string;
  user?: string;
  /** The field whose values stand beside the list, "host"; "off": none. */
  group?: string;
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
  'FORMAT',
  'OUTCOME',
  'SEVERITY',
  'DOMAIN',
  'FILE_PATH',
  'FILE_HASH',
];

/** What each is called in a query line. */
const lineNames: Partial<Record<EventField, string>> = {
  SOURCE_IP: 'sourceIp',
  DESTINATION_IP: 'destinationIp',
  FILE_PATH: 'filePath',
  FILE_HASH: 'fileHash',
};

/** The line with one more condition; the same one twice is there once. */
export function withCondition(line: string | undefined, field: EventField, value: string, not = false): string {
  const name = lineNames[field] ?? field.toLowerCase();
  const quoted = /^[\w.-]+$/.test(value) ? value : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  const condition = `${not ? '-' : ''}${name}:${quoted}`;
  if (!line) return condition;
  return ` ${line} `.includes(` ${condition} `) ? line : `${/\bor\b/i.test(line) ? `(${line})` : line} ${condition}`;
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
    group: raw.group === 'off' ? 'off' : known(raw.group, groupFields),
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

function text(raw: unknown): string | undefined {
  return typeof raw === 'string' || typeof raw === 'number' ? String(raw).slice(0, 2_000) || undefined : undefined;
}

function known(raw: unknown, values: readonly string[]): string | undefined {
  const wanted = typeof raw === 'string' ? raw.toUpperCase() : '';
  return values.includes(wanted) ? wanted.toLowerCase() : undefined;
}
