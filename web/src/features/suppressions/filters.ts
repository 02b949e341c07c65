// The suppressions' filters as they stand in the URL, and as the API takes them.
import type { SuppressionFilter, SuppressionOrder, SuppressionState } from '../../gql/schema';

export const states: readonly SuppressionState[] = ['ACTIVE', 'EXPIRED', 'DISABLED'];

export interface SuppressionSearch {
  q?: string;
  state?: string;
  /** "hits"; absent: the newest first. */
  order?: 'hits';
  /** The suppression that is open beside the list. */
  suppression?: string;
}

export function readSearch(raw: Record<string, unknown>): SuppressionSearch {
  const search: SuppressionSearch = {
    q: typeof raw.q === 'string' || typeof raw.q === 'number' ? String(raw.q).slice(0, 200) || undefined : undefined,
    state: states.find((state) => state.toLowerCase() === raw.state)?.toLowerCase(),
    order: raw.order === 'hits' ? 'hits' : undefined,
    suppression: typeof raw.suppression === 'string' && raw.suppression ? raw.suppression : undefined,
  };
  return Object.fromEntries(Object.entries(search).filter(([, v]) => v !== undefined));
}

export function apiFilter(search: SuppressionSearch): SuppressionFilter {
  return {
    ...(search.q && { text: { contains: search.q } }),
    ...(search.state && { state: { eq: search.state.toUpperCase() as SuppressionState } }),
  };
}

export function apiOrder(search: SuppressionSearch): SuppressionOrder {
  return search.order === 'hits' ? 'HITS_DESC' : 'CREATED_AT_DESC';
}
