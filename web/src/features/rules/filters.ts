// The rule list's filters as they stand in the URL, and as the API takes them.
import type { RuleFilter, RuleState, Severity } from '../../gql/schema';
import { severities } from '../../nouns/severity/severity';

export const ruleStates: readonly RuleState[] = ['ACTIVE', 'INACTIVE', 'INVALID'];

export interface RuleSearch {
  /** A query line. */
  q?: string;
  level?: string;
  state?: string;
  /** "yes" or "no". */
  enabled?: string;
  /** The rule that is open beside the list. */
  rule?: string;
}

export function readSearch(raw: Record<string, unknown>): RuleSearch {
  const search: RuleSearch = {
    q: typeof raw.q === 'string' || typeof raw.q === 'number' ? String(raw.q).slice(0, 2_000) || undefined : undefined,
    level: known(raw.level, severities),
    state: known(raw.state, ruleStates),
    enabled: known(raw.enabled, ['YES', 'NO']),
    rule: typeof raw.rule === 'string' && raw.rule ? raw.rule : undefined,
  };
  return Object.fromEntries(Object.entries(search).filter(([, v]) => v !== undefined));
}

export function apiFilter(search: RuleSearch): RuleFilter {
  return {
    ...(search.q && { query: search.q }),
    ...(search.level && { level: { eq: search.level.toUpperCase() as Severity } }),
    ...(search.state && { state: { eq: search.state.toUpperCase() as RuleState } }),
    ...(search.enabled && { enabled: search.enabled === 'yes' }),
  };
}

function known(raw: unknown, values: readonly string[]): string | undefined {
  const wanted = typeof raw === 'string' ? raw.toUpperCase() : '';
  return values.includes(wanted) ? wanted.toLowerCase() : undefined;
}
