// The incidents' filters as they stand in the URL, and as the API takes them.
import type { IncidentFilter, Severity } from '../../gql/schema';
import { severities } from '../../nouns/severity/severity';

export interface IncidentSearch {
  /** "list"; absent: the board. */
  view?: 'list';
  /** A query line. */
  q?: string;
  /** From which severity on. */
  severity?: string;
  /** "me" or "nobody". */
  assignee?: 'me' | 'nobody';
}

export function readSearch(raw: Record<string, unknown>): IncidentSearch {
  const severity = typeof raw.severity === 'string' ? raw.severity.toLowerCase() : '';
  const search: IncidentSearch = {
    view: raw.view === 'list' ? 'list' : undefined,
    q: typeof raw.q === 'string' || typeof raw.q === 'number' ? String(raw.q).slice(0, 1_000) || undefined : undefined,
    severity: severities.some((s) => s.toLowerCase() === severity) ? severity : undefined,
    assignee: raw.assignee === 'me' || raw.assignee === 'nobody' ? raw.assignee : undefined,
  };
  return Object.fromEntries(Object.entries(search).filter(([, v]) => v !== undefined));
}

export function apiFilter(search: IncidentSearch, me: string | undefined): IncidentFilter {
  return {
    ...(search.q && { query: search.q }),
    ...(search.severity && { severity: { gte: search.severity.toUpperCase() as Severity } }),
    ...(search.assignee === 'nobody' && { assignee: { exists: false } }),
    ...(search.assignee === 'me' && me && { assignee: { eq: me } }),
  };
}
