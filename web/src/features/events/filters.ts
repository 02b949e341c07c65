// The event list's filters as they stand in the URL, and as the API takes them.
import type { EventClass, EventFilter, Severity } from '../../gql/schema';
import { eventClasses } from '../../nouns/event/event';
import { severities } from '../../nouns/severity/severity';

export interface EventSearch {
  q?: string;
  /** "process_activity". */
  class?: string;
  /** Severity from which on, "high". */
  severity?: string;
  host?: string;
  user?: string;
  /** The event that is open. */
  event?: string;
}

/** Reads what stands in the URL; what makes no sense is left out. */
export function readSearch(raw: Record<string, unknown>): EventSearch {
  const search: EventSearch = {
    q: text(raw.q),
    class: known(raw.class, eventClasses),
    severity: known(raw.severity, severities),
    host: text(raw.host),
    user: text(raw.user),
    event: text(raw.event),
  };
  return Object.fromEntries(Object.entries(search).filter(([, v]) => v !== undefined));
}

export function apiFilter(search: EventSearch): EventFilter {
  return {
    ...(search.q && { raw: { contains: search.q } }),
    ...(search.class && { class: { eq: search.class.toUpperCase() as EventClass } }),
    ...(search.severity && { severity: { gte: search.severity.toUpperCase() as Severity } }),
    ...(search.host && { host: { eq: search.host } }),
    ...(search.user && { user: { eq: search.user } }),
  };
}

function text(raw: unknown): string | undefined {
  return typeof raw === 'string' || typeof raw === 'number' ? String(raw).slice(0, 200) || undefined : undefined;
}

function known(raw: unknown, values: readonly string[]): string | undefined {
  const wanted = typeof raw === 'string' ? raw.toUpperCase() : '';
  return values.includes(wanted) ? wanted.toLowerCase() : undefined;
}
