// The assets' filters as they stand in the URL, and as the API takes them.
import type { AssetFilter, AssetKind, AssetOrder, Criticality } from '../../gql/schema';

export const criticalities: readonly Criticality[] = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'];
const orders: Record<string, AssetOrder> = { risk: 'RISK_DESC', seen: 'LAST_SEEN_DESC', name: 'NAME_ASC' };

export interface AssetSearch {
  q?: string;
  kind?: string;
  criticality?: string;
  silent?: 'yes';
  /** "seen" or "name"; absent: by risk. */
  order?: string;
  /** The asset that is open beside the list. */
  asset?: string;
}

export function readSearch(raw: Record<string, unknown>): AssetSearch {
  const search: AssetSearch = {
    q: typeof raw.q === 'string' || typeof raw.q === 'number' ? String(raw.q).slice(0, 200) || undefined : undefined,
    kind: raw.kind === 'host' || raw.kind === 'user' ? raw.kind : undefined,
    criticality: criticalities.find((c) => c.toLowerCase() === raw.criticality)?.toLowerCase(),
    silent: raw.silent === 'yes' ? 'yes' : undefined,
    order: raw.order === 'seen' || raw.order === 'name' ? raw.order : undefined,
    asset: typeof raw.asset === 'string' && raw.asset ? raw.asset : undefined,
  };
  return Object.fromEntries(Object.entries(search).filter(([, v]) => v !== undefined));
}

export function apiFilter(search: AssetSearch): AssetFilter {
  return {
    ...(search.q && { name: { contains: search.q } }),
    ...(search.kind && { kind: { eq: search.kind.toUpperCase() as AssetKind } }),
    ...(search.criticality && { criticality: { eq: search.criticality.toUpperCase() as Criticality } }),
    ...(search.silent && { silent: true }),
  };
}

export function apiOrder(search: AssetSearch): AssetOrder {
  return orders[search.order ?? 'risk'] ?? 'RISK_DESC';
}
