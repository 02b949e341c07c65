// The list of events: newest stored first, and a bound on how many are kept.
import type { EventMoreFragment, EventRowFragment } from './EventRow.generated';

/** An event of the list: with what the chosen columns need. */
export type TailEvent = EventRowFragment & Partial<EventMoreFragment>;

export interface Tail {
  events: readonly TailEvent[];
  ids: ReadonlySet<string>;
  /** Below the last one the server has more; false also when rows were let go. */
  hasMore: boolean;
}

export const emptyTail: Tail = { events: [], ids: new Set(), hasMore: false };

/** The tail with newer events on top. Past `most` the oldest go, and are read again by paging. */
export function prepend(tail: Tail, newer: readonly TailEvent[], most: number): Tail {
  const added = newer.filter((e) => !tail.ids.has(e.id)).reverse();
  if (added.length === 0) return tail;
  const events = [...added, ...tail.events].slice(0, most);
  return {
    events,
    ids: new Set(events.map((e) => e.id)),
    hasMore: tail.hasMore || events.length < added.length + tail.events.length,
  };
}

/** The tail with older events below. */
export function append(tail: Tail, older: readonly TailEvent[], hasMore: boolean): Tail {
  const events = [...tail.events, ...older.filter((e) => !tail.ids.has(e.id))];
  return { events, ids: new Set(events.map((e) => e.id)), hasMore };
}
