// The indicators' filters as they stand in the URL, and as the API takes them.
import type { IndicatorFilter, IndicatorKind, IndicatorOrder, IndicatorState, Severity } from '../../gql/schema';

export const kinds: readonly (readonly [IndicatorKind, string])[] = [
  ['ADDRESS', 'Address'],
  ['NETWORK', 'Network'],
  ['DOMAIN', 'Domain'],
  ['URL', 'URL'],
  ['MD5', 'MD5'],
  ['SHA1', 'SHA-1'],
  ['SHA256', 'SHA-256'],
  ['EMAIL', 'E-mail'],
];
export const states: readonly (readonly [IndicatorState, string])[] = [
  ['ACTIVE', 'Active'],
  ['PENDING', 'Not yet valid'],
  ['EXPIRED', 'Expired'],
  ['REVOKED', 'Revoked'],
];
export const severities: readonly (readonly [Severity, string])[] = [
  ['CRITICAL', 'Critical'],
  ['HIGH', 'High'],
  ['MEDIUM', 'Medium'],
  ['LOW', 'Low'],
  ['INFORMATIONAL', 'Informational'],
];

export interface IndicatorSearch {
  q?: string;
  kind?: string;
  state?: string;
  source?: string;
  /** "severity"; absent: the one that was changed last first. */
  order?: 'severity';
  /** The indicator that is open beside the list. */
  indicator?: string;
}

function known(options: readonly (readonly [string, string])[], raw: unknown): string | undefined {
  return options.find(([value]) => value.toLowerCase() === raw)?.[0].toLowerCase();
}

function text(raw: unknown): string | undefined {
  return typeof raw === 'string' || typeof raw === 'number' ? String(raw).slice(0, 500) || undefined : undefined;
}

export function readSearch(raw: Record<string, unknown>): IndicatorSearch {
  const search: IndicatorSearch = {
    q: text(raw.q),
    kind: known(kinds, raw.kind),
    state: known(states, raw.state),
    source: text(raw.source),
    order: raw.order === 'severity' ? 'severity' : undefined,
    indicator: text(raw.indicator),
  };
  return Object.fromEntries(Object.entries(search).filter(([, v]) => v !== undefined));
}

export function apiFilter(search: IndicatorSearch): IndicatorFilter {
  return {
    ...(search.q && { query: search.q }),
    ...(search.kind && { kind: { eq: search.kind.toUpperCase() as IndicatorKind } }),
    ...(search.state && { state: { eq: search.state.toUpperCase() as IndicatorState } }),
    ...(search.source && { source: { eq: search.source } }),
  };
}

export function apiOrder(search: IndicatorSearch): IndicatorOrder {
  return search.order === 'severity' ? 'SEVERITY_DESC' : 'UPDATED_AT_DESC';
}

export function labelOf(options: readonly (readonly [string, string])[], value: string): string {
  return options.find(([each]) => each === value)?.[1] ?? value;
}
