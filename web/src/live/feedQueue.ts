// What has come over a feed and waits to be shown: one entry per id, in the
// order of first arrival, bounded.
import type { FeedChange } from '../gql/schema';

export interface FeedEntry<T> {
  change: FeedChange;
  item: T;
}

/**
 * The last entry for an id wins, but an ENTERED stays ENTERED however often the
 * item is updated before it is shown. Past the bound everything is dropped and
 * `overflowed` says so: the list must then be read anew.
 */
export class FeedQueue<T> {
  private waiting = new Map<string, FeedEntry<T>>();
  overflowed = false;

  constructor(
    private readonly idOf: (item: T) => string,
    private readonly bound: number,
  ) {}

  get size(): number {
    return this.waiting.size;
  }

  push(entries: readonly FeedEntry<T>[]): void {
    if (this.overflowed) return;
    for (const entry of entries) {
      const id = this.idOf(entry.item);
      const before = this.waiting.get(id);
      const sticks = before?.change === 'ENTERED' && entry.change === 'UPDATED';
      this.waiting.set(id, sticks ? { change: 'ENTERED', item: entry.item } : entry);
    }
    if (this.waiting.size > this.bound) {
      this.waiting = new Map();
      this.overflowed = true;
    }
  }

  drain(): FeedEntry<T>[] {
    const entries = [...this.waiting.values()];
    this.waiting = new Map();
    return entries;
  }

  reset(): void {
    this.waiting = new Map();
    this.overflowed = false;
  }
}
