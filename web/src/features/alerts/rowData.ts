// What the rows of a long list show. Fifty thousand alerts are too many to keep:
// the cache holds those near what is in view, and reads others again when they
// are scrolled to.
import type { ApolloCache, ApolloClient, InMemoryCache } from '@apollo/client';
import { type AlertRowFragment, AlertRowFragmentDoc } from './AlertRow.generated';
import { AlertRowsDocument } from './AlertRows.generated';

/** As many as the server gives at once. */
const mostAsked = 100;
/** Alerts that were let go between two collections. */
const collectAfter = 500;

export class RowData {
  private readonly kept = new Set<string>();
  private readonly asked = new Set<string>();
  private dropped = 0;

  /** `onMissing` hears of alerts that are no longer there. */
  constructor(
    private readonly client: ApolloClient,
    private readonly onMissing: (ids: readonly string[]) => void,
  ) {}

  /** Keeps what a page of the list brought. */
  write(alerts: readonly AlertRowFragment[]): void {
    this.client.cache.batch({
      update: (cache) => {
        for (const alert of alerts) this.put(cache, alert);
      },
    });
  }

  /** Takes a change of the feed: of rows that are kept, that are being read, or that are new. */
  update(cache: ApolloCache, alert: AlertRowFragment, isNew: boolean): void {
    if (isNew || this.kept.has(alert.id) || this.asked.has(alert.id)) this.put(cache, alert);
  }

  /** Reads those of `ids` that are not kept. */
  async want(ids: readonly string[]): Promise<void> {
    const missing = ids.filter((id) => !this.kept.has(id) && !this.asked.has(id)).slice(0, mostAsked);
    if (missing.length === 0) return;
    for (const id of missing) this.asked.add(id);
    try {
      const { data } = await this.client.query({
        query: AlertRowsDocument,
        variables: { ids: missing },
        fetchPolicy: 'no-cache',
      });
      const found = (data?.nodes ?? []).flatMap((n) => (n?.__typename === 'Alert' ? [n as AlertRowFragment] : []));
      // What the feed brought in the meantime is newer.
      this.write(found.filter((alert) => !this.kept.has(alert.id)));
      const gone = missing.filter((id) => !this.kept.has(id));
      if (data && gone.length > 0) this.onMissing(gone);
    } finally {
      for (const id of missing) this.asked.delete(id);
    }
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
    // Incidents and people that only they named.
    this.client.cache.gc();
  }

  /** The list is left: what nothing else shows goes with the next collection. */
  close(): void {
    for (const id of [...this.kept]) this.release(id);
  }

  /** Each write by id makes the cache hold it once more, even after it was evicted. */
  private release(id: string): void {
    const cache = this.client.cache as InMemoryCache;
    while (cache.release(`Alert:${id}`) > 0);
    this.kept.delete(id);
  }

  private put(cache: ApolloCache, data: AlertRowFragment): void {
    cache.writeFragment({ fragment: AlertRowFragmentDoc, data });
    this.kept.add(data.id);
  }
}
