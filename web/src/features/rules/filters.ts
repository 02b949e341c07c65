// The rule list's filters as they stand in the URL, and as the API takes them.
import type { RuleFilter, RuleOrder, RuleStage, RuleState, Severity } from '../../gql/schema';
import { severities } from '../../nouns/severity/severity';

export const ruleStates: readonly RuleState[] = ['ACTIVE', 'INACTIVE', 'INVALID'];

export const ruleStages: readonly RuleStage[] = ['DRAFT', 'ENABLED', 'DISABLED'];

/** Beside the order by title. */
export const ruleOrders: readonly RuleOrder[] = ['COST', 'ALERTS', 'FALSE_POSITIVES'];

export interface RuleSearch {
  /** A query line. */
  q?: string;
  level?: string;
  state?: string;
  stage?: string;
  /** "cost", "alerts" or "false_positives": the greatest first; absent: by title. */
  order?: string;
  /** The rule that is open beside the list. */
  rule?: string;
}

export function readSearch(raw: Record<string, unknown>): RuleSearch {
  const search: RuleSearch = {
    q: typeof raw.q === 'string' || typeof raw.q === 'number' ? String(raw.q).slice(0, 2_000) || undefined : undefined,
    level: known(raw.level, severities),
    state: known(raw.state, ruleStates),
    stage: known(raw.stage, ruleStages) ?? formerly(raw.enabled),
    order: known(raw.order, ruleOrders),
    rule: typeof raw.rule === 'string' && raw.rule ? raw.rule : undefined,
  };
  return Object.fromEntries(Object.entries(search).filter(([, v]) => v !== undefined));
}

export function apiFilter(search: RuleSearch): RuleFilter {
  return {
    ...(search.q && { query: search.q }),
    ...(search.level && { level: { eq: search.level.toUpperCase() as Severity } }),
    ...(search.state && { state: { eq: search.state.toUpperCase() as RuleState } }),
    ...(search.stage && { stage: { eq: search.stage.toUpperCase() as RuleStage } }),
  };
}

export function apiOrder(search: RuleSearch): RuleOrder {
  return ruleOrders.find((order) => order.toLowerCase() === search.order) ?? 'TITLE';
}

/** Addresses that people have kept from when there were no drafts. */
function formerly(enabled: unknown): string | undefined {
  return { yes: 'enabled', no: 'disabled' }[String(enabled)];
}

function known(raw: unknown, values: readonly string[]): string | undefined {
  const wanted = typeof raw === 'string' ? raw.toUpperCase() : '';
  return values.includes(wanted) ? wanted.toLowerCase() : undefined;
}
