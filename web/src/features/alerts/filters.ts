// The queue's filters as they stand in the URL, and as the API takes them.
import type { AlertFilter, AlertStatus, Severity } from '../../gql/schema';
import { statuses } from '../../nouns/alert/alert';
import { severities } from '../../nouns/severity/severity';

export const tabs = ['overview', 'evidence', 'rule', 'comments', 'history'] as const;
export type AlertTab = (typeof tabs)[number];

/** Absent ones have their default, so that the plain URL is the plain queue. */
export interface AlertSearch {
  /** "new,closed" or "all"; absent: what is open. */
  status?: string;
  /** "critical,high"; absent: all. */
  severity?: string;
  q?: string;
  /** The alert that is open beside the list. */
  alert?: string;
  tab?: AlertTab;
}

export interface AlertFilters {
  statuses: readonly AlertStatus[];
  severities: readonly Severity[];
  text: string;
}

const open: readonly AlertStatus[] = ['NEW', 'ACKNOWLEDGED', 'IN_PROGRESS'];

/** Reads what stands in the URL; what makes no sense is left out. */
export function readSearch(raw: Record<string, unknown>): AlertSearch {
  return formatSearch(
    {
      statuses: raw.status === 'all' ? statuses : pick(raw.status, statuses, open),
      severities: pick(raw.severity, severities, severities),
      text: typeof raw.q === 'string' || typeof raw.q === 'number' ? String(raw.q).slice(0, 200) : '',
    },
    {
      alert: typeof raw.alert === 'string' && raw.alert ? raw.alert : undefined,
      tab: tabs.find((t) => t === raw.tab && t !== 'overview'),
    },
  );
}

export function filtersOf(search: AlertSearch): AlertFilters {
  return {
    statuses: search.status === 'all' ? statuses : pick(search.status, statuses, open),
    severities: pick(search.severity, severities, severities),
    text: search.q ?? '',
  };
}

export function formatSearch(filters: AlertFilters, rest: Pick<AlertSearch, 'alert' | 'tab'>): AlertSearch {
  const all = filters.statuses.length === statuses.length || filters.statuses.length === 0;
  const search: AlertSearch = {
    status: all ? 'all' : same(filters.statuses, open) ? undefined : join(filters.statuses, statuses),
    severity:
      filters.severities.length === severities.length || filters.severities.length === 0
        ? undefined
        : join(filters.severities, severities),
    q: filters.text || undefined,
    ...rest,
  };
  return Object.fromEntries(Object.entries(search).filter(([, v]) => v !== undefined));
}

type Facet = 'statuses' | 'severities';

/** The filter for the API; `without` leaves a facet's own condition out, for counting its values. */
export function apiFilter(filters: AlertFilters, without?: Facet): AlertFilter {
  return {
    ...(without !== 'statuses' &&
      filters.statuses.length < statuses.length && { status: { in: [...filters.statuses] } }),
    ...(without !== 'severities' &&
      filters.severities.length < severities.length && { severity: { in: [...filters.severities] } }),
    ...(filters.text && { text: { contains: filters.text } }),
  };
}

/** Switches one value. The first click on a severity shows that one alone; switching the last one off shows all again. */
export function toggle<T>(chosen: readonly T[], value: T, all: readonly T[]): readonly T[] {
  if (chosen.length === all.length) return [value];
  const next = chosen.includes(value) ? chosen.filter((v) => v !== value) : [...chosen, value];
  return next.length === 0 ? all : all.filter((v) => next.includes(v));
}

function pick<T extends string>(raw: unknown, known: readonly T[], otherwise: readonly T[]): readonly T[] {
  if (typeof raw !== 'string') return otherwise;
  const wanted = raw.toUpperCase().split(',');
  const found = known.filter((v) => wanted.includes(v));
  return found.length > 0 ? found : otherwise;
}

function join(values: readonly string[], order: readonly string[]): string {
  return order
    .filter((v) => values.includes(v))
    .join(',')
    .toLowerCase();
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((v) => b.includes(v));
}
