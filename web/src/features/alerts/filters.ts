// The queue's filters as they stand in the URL, and as the API takes them.
import type { AlertField, AlertFilter, AlertStatus, Severity } from '../../gql/schema';
import { statuses } from '../../nouns/alert/alert';
import { severities } from '../../nouns/severity/severity';
import { readRange, type TimeRange } from '../../nouns/time/range';
import { columnIds } from './columns';
import { type AlertSort, orders } from './order';

export const tabs = ['overview', 'evidence', 'related', 'rule', 'comments', 'history'] as const;
export type AlertTab = (typeof tabs)[number];

/** The fields whose values can stand beside the list. */
export const valueFields: readonly AlertField[] = [
  'HOST',
  'USER',
  'TITLE',
  'SOURCE_IP',
  'DESTINATION_IP',
  'PROCESS',
  'FILE_HASH',
  'ASSIGNEE',
];

/** Absent ones have their default, so that the plain URL is the plain queue. */
export interface AlertSearch extends TimeRange {
  /** "new,closed" or "all"; absent: what is open. */
  status?: string;
  /** "critical,high"; absent: all. */
  severity?: string;
  /** A query line. */
  q?: string;
  /** Absent: latest seen first. */
  sort?: AlertSort;
  /** The columns, "severity,title"; absent: the usual ones. */
  cols?: string;
  /** "off": without the chart. */
  chart?: 'off';
  /** The field whose commonest values stand beside the list, "host"; absent: none. */
  values?: string;
  /** The alert that is open beside the list. */
  alert?: string;
  tab?: AlertTab;
  /** The change of many alerts whose progress stands above the list: it can be cancelled and undone from here. */
  job?: string;
}

export interface AlertFilters {
  statuses: readonly AlertStatus[];
  severities: readonly Severity[];
  /** A query line. */
  query: string;
  range: TimeRange;
}

/** What stands in the URL beside the filters. */
export type AlertView = Pick<AlertSearch, 'alert' | 'tab' | 'sort' | 'cols' | 'chart' | 'values' | 'job'>;

const open: readonly AlertStatus[] = ['NEW', 'ACKNOWLEDGED', 'IN_PROGRESS'];

/** Reads what stands in the URL; what makes no sense is left out. */
export function readSearch(raw: Record<string, unknown>): AlertSearch {
  return formatSearch(
    {
      statuses: raw.status === 'all' ? statuses : pick(raw.status, statuses, open),
      severities: pick(raw.severity, severities, severities),
      query: typeof raw.q === 'string' || typeof raw.q === 'number' ? String(raw.q).slice(0, 2_000) : '',
      range: readRange(raw),
    },
    {
      alert: typeof raw.alert === 'string' && raw.alert ? raw.alert : undefined,
      tab: tabs.find((t) => t === raw.tab && t !== 'overview'),
      sort: orders.find((sort) => sort === raw.sort),
      cols: readColumns(raw.cols),
      chart: raw.chart === 'off' ? 'off' : undefined,
      job: (typeof raw.job === 'string' || typeof raw.job === 'number') && raw.job ? String(raw.job) : undefined,
      values: valueFields.find((field) => field.toLowerCase() === raw.values)?.toLowerCase(),
    },
  );
}

export function filtersOf(search: AlertSearch): AlertFilters {
  return {
    statuses: search.status === 'all' ? statuses : pick(search.status, statuses, open),
    severities: pick(search.severity, severities, severities),
    query: search.q ?? '',
    range: readRange({ ...search }),
  };
}

export function formatSearch(filters: AlertFilters, rest: AlertView): AlertSearch {
  const all = filters.statuses.length === statuses.length || filters.statuses.length === 0;
  const search: AlertSearch = {
    status: all ? 'all' : same(filters.statuses, open) ? undefined : join(filters.statuses, statuses),
    severity:
      filters.severities.length === severities.length || filters.severities.length === 0
        ? undefined
        : join(filters.severities, severities),
    q: filters.query || undefined,
    ...filters.range,
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
    ...(filters.query && { query: filters.query }),
    ...rangeFilter(filters.range),
  };
}

function rangeFilter({ since, from, to }: TimeRange): AlertFilter {
  if (from && to) return { lastSeen: { gte: from, lt: to } };
  return since ? { lastSeen: { gte: `now-${since}` } } : {};
}

/** The filters as one query line, to keep as a saved view; times stay out, as they pass. */
export function queryLineOf(filters: AlertFilters): string {
  const any = (field: string, chosen: readonly string[], all: readonly string[]) =>
    chosen.length < all.length && chosen.length > 0 ? `${field}:${chosen.join(',').toLowerCase()}` : '';
  return [
    any('status', filters.statuses, statuses),
    any('severity', filters.severities, severities),
    filters.query && (/\bor\b/i.test(filters.query) ? `(${filters.query})` : filters.query),
  ]
    .filter(Boolean)
    .join(' ');
}

function readColumns(raw: unknown): string | undefined {
  if (typeof raw !== 'string') return undefined;
  const wanted = raw.split(',');
  return columnIds.filter((id) => wanted.includes(id)).join(',') || undefined;
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
