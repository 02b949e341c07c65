// What the rows of a long list show. Fifty thousand alerts are too many to keep:
// the cache holds those near what is in view, and reads others again when they
// are scrolled to.
import type { ApolloCache, ApolloClient, InMemoryCache } from '@apollo/client';
import {
  type AlertRiskFragment,
  AlertRiskFragmentDoc,
  type AlertRowFragment,
  AlertRowFragmentDoc,
  AlertVersionFragmentDoc,
} from './AlertRow.generated';
import { AlertRowsDocument } from './AlertRows.generated';

/** An alert as a row shows it: its risk only where that column is shown. */
export type Row = AlertRowFragment & Partial<Pick<AlertRiskFragment, 'hostAsset' | 'userAsset'>>;

/** As many as the server gives at once. */
const mostAsked = 100;
/** Alerts that were let go between two collections. */
const collectAfter = 2_000;

export class RowData {
  private readonly kept = new Set<string>();
  private readonly asked = new Set<string>();
  private dropped = 0;
  private closed = false;

  /** `onMissing` hears of alerts that are no longer there. */
  constructor(
    private readonly client: ApolloClient,
    private readonly onMissing: (ids: readonly string[]) => void,
  ) {}

  /** Keeps what a page of the list brought. */
  write(alerts: readonly Row[]): void {
    this.client.cache.batch({
      update: (cache) => {
        for (const alert of alerts) this.put(cache, alert);
      },
    });
  }

  /** Takes a change of the feed: of rows that are kept, that are being read, or that are new. */
  update(cache: ApolloCache, alert: Row, isNew: boolean): void {
    if (isNew || this.kept.has(alert.id) || this.asked.has(alert.id)) this.put(cache, alert);
  }

  /** Reads those of `ids` that are not kept. */
  async want(ids: readonly string[], risk = false): Promise<void> {
    const missing = ids.filter((id) => !this.kept.has(id) && !this.asked.has(id)).slice(0, mostAsked);
    if (missing.length === 0) return;
    for (const id of missing) this.asked.add(id);
    try {
      const { data } = await this.client.query({
        query: AlertRowsDocument,
        variables: { ids: missing, risk },
        fetchPolicy: 'no-cache',
      });
      const found = (data?.nodes ?? []).flatMap((n) => (n?.__typename === 'Alert' ? [n as Row] : []));
      if (this.closed) return;
      // What the feed brought in the meantime is newer.
      this.write(found.filter((alert) => !this.kept.has(alert.id)));
      const gone = missing.filter((id) => !this.kept.has(id));
      if (data && gone.length > 0) this.onMissing(gone);
    } finally {
      for (const id of missing) this.asked.delete(id);
    }
  }

  /** Gives the alerts of `ids` that are there, read where they are not at hand; nothing more is kept by it. */
  async read(ids: readonly string[]): Promise<Row[]> {
    const found = new Map<string, Row>();
    const missing: string[] = [];
    for (const id of ids) {
      // What the feed does not keep right may be of long ago.
      const row = this.kept.has(id) ? this.known(this.client.cache, id) : null;
      if (row) found.set(id, row);
      else missing.push(id);
    }
    for (let at = 0; at < missing.length; at += mostAsked) {
      const { data } = await this.client.query({
        query: AlertRowsDocument,
        variables: { ids: missing.slice(at, at + mostAsked), risk: false },
        fetchPolicy: 'no-cache',
      });
      for (const node of data?.nodes ?? []) if (node?.__typename === 'Alert') found.set((node as Row).id, node as Row);
    }
    return ids.flatMap((id) => found.get(id) ?? []);
  }

  /** Lets go of all but `near`. */
  keepOnly(near: ReadonlySet<string>): void {
    const dropped = [...this.kept].filter((id) => !near.has(id));
    if (dropped.length === 0) return;
    this.client.cache.batch({
      update: (cache) => {
        for (const id of dropped) {
          this.release(id);
          cache.evict({ id: `Alert:${id}` });
        }
      },
    });
    this.dropped += dropped.length;
    if (this.dropped < collectAfter) return;
    this.dropped = 0;
    // Incidents and people that only they named, and what the cache has noted of who
    // reads which field: it never forgets that of entities that are gone.
    (this.client.cache as InMemoryCache).gc({ resetResultCache: true });
  }

  /** The list is there, perhaps again. */
  open(): void {
    this.closed = false;
  }

  /** The list is left: what nothing else shows goes with the next collection, and what is on its way is not kept. */
  close(): void {
    this.closed = true;
    for (const id of [...this.kept]) this.release(id);
  }

  /** Each write by id makes the cache hold it once more, even after it was evicted. */
  private release(id: string): void {
    const cache = this.client.cache as InMemoryCache;
    while (cache.release(`Alert:${id}`) > 0);
    this.kept.delete(id);
  }

  private known(cache: ApolloCache, id: string): Row | null {
    return cache.readFragment({ fragment: AlertRowFragmentDoc, fragmentName: 'AlertRow', id: `Alert:${id}` });
  }

  private put(cache: ApolloCache, alert: Row): void {
    // An answer that was on its way while the feed, or a change made here, said more.
    if (versionOf(cache, alert.id) > alert.version && this.known(cache, alert.id)) {
      this.kept.add(alert.id);
      return;
    }
    cache.writeFragment({ fragment: AlertRowFragmentDoc, fragmentName: 'AlertRow', data: alert });
    this.kept.add(alert.id);
    const { __typename, id, hostAsset, userAsset } = alert;
    if (hostAsset === undefined || userAsset === undefined) return;
    cache.writeFragment({
      fragment: AlertRiskFragmentDoc,
      fragmentName: 'AlertRisk',
      data: { __typename, id, hostAsset, userAsset },
    });
  }
}

/**
 * The version of an alert that is at hand, 0 without one. By a fragment of its own:
 * the whole row takes too long for each that comes, and cache.modify makes the cache
 * keep something for every alert that it was ever asked for.
 */
function versionOf(cache: ApolloCache, id: string): number {
  const known = cache.readFragment({ fragment: AlertVersionFragmentDoc, id: `Alert:${id}` });
  return known?.version ?? 0;
}
