// Which alerts the list shows and in which order, apart from what they are: that
// stands in the cache.
import type { FeedEntry } from '../../live/useFeed';

/** What the order needs of an alert. */
export interface Placed {
  id: string;
  /** Its place, see placeOf. */
  place: string;
}

export interface Queue {
  ids: readonly string[];
  /** The place of each listed alert. */
  seen: ReadonlyMap<string, string>;
  /** Came in and waits behind the "N new" pill. */
  arrived: ReadonlyMap<string, string>;
  /** No longer matches, and still stands in its row. */
  gone: ReadonlySet<string>;
  /** Came in with the last release, when they are few: drawn as new. */
  fresh: ReadonlySet<string>;
  /** Whether the server has older ones. */
  hasMore: boolean;
  /** The place down to which the list is loaded: rows that move up leave it where it is. */
  floor: string;
  /** More have arrived than are kept apart: the list must be read anew to show them. */
  overflowed: boolean;
}

/** New ones that are kept apart while somebody reads further below. */
export const mostArrived = 5_000;

const mostFresh = 5;

export const emptyQueue: Queue = {
  ids: [],
  seen: new Map(),
  arrived: new Map(),
  gone: new Set(),
  fresh: new Set(),
  hasMore: false,
  floor: '',
  overflowed: false,
};

/** The queue with a further page below. What has come meanwhile stays. */
export function appendPage(
  queue: Queue,
  page: readonly Placed[],
  hasMore: boolean,
  floor = page.at(-1)?.place ?? queue.floor,
): Queue {
  const seen = new Map(queue.seen);
  const arrived = new Map(queue.arrived);
  const ids = [...queue.ids];
  for (const alert of page) {
    // It was seen again while the page was on its way: its place is above.
    if (arrived.has(alert.id) && compare(arrived.get(alert.id), alert.place) >= 0) continue;
    arrived.delete(alert.id);
    if (!seen.has(alert.id)) ids.push(alert.id);
    seen.set(alert.id, alert.place);
  }
  return { ...queue, ids, seen, arrived, hasMore, floor };
}

/**
 * The queue after changes of the feed. No row moves: new ones wait in `arrived`,
 * those that left stay until release, and a row that was seen again keeps its place.
 */
export function applyEntries(queue: Queue, entries: readonly FeedEntry<Placed>[]): Queue {
  const seen = new Map(queue.seen);
  const arrived = new Map(queue.arrived);
  const gone = new Set(queue.gone);
  let overflowed = queue.overflowed;
  for (const { change, item } of entries) {
    if (change === 'LEFT') {
      arrived.delete(item.id);
      if (seen.has(item.id)) gone.add(item.id);
      continue;
    }
    gone.delete(item.id);
    if (seen.has(item.id)) seen.set(item.id, item.place);
    else if (!queue.hasMore || compare(item.place, queue.floor) >= 0) {
      if (arrived.size < mostArrived || arrived.has(item.id)) arrived.set(item.id, item.place);
      else overflowed = true;
    }
    // What belongs below the loaded pages comes when they are scrolled to.
    else arrived.delete(item.id);
  }
  return { ...queue, seen, arrived, gone, overflowed };
}

/** The queue without rows whose alerts are no longer there. */
export function remove(queue: Queue, ids: readonly string[]): Queue {
  const seen = new Map(queue.seen);
  const gone = new Set(queue.gone);
  for (const id of ids) {
    seen.delete(id);
    gone.delete(id);
  }
  return { ...queue, ids: queue.ids.filter((id) => seen.has(id)), seen, gone };
}

/** The queue with everything in its right place. At most `most` rows are kept; older ones are read again when scrolled to. */
export function release(queue: Queue, most = Number.POSITIVE_INFINITY): Queue {
  const seen = new Map([...queue.seen, ...queue.arrived]);
  for (const id of queue.gone) seen.delete(id);
  let ids = [...seen.keys()].sort((a, b) => compare(seen.get(b), seen.get(a)) || (a < b ? 1 : -1));
  const trimmed = ids.length > most;
  if (trimmed) {
    for (const id of ids.slice(most)) seen.delete(id);
    ids = ids.slice(0, most);
  }
  return {
    ids,
    seen,
    arrived: new Map(),
    gone: new Set(),
    // Where many come at once, colour tells nothing.
    fresh: queue.arrived.size > mostFresh ? new Set() : new Set(queue.arrived.keys()),
    hasMore: queue.hasMore || trimmed,
    floor: trimmed ? (seen.get(ids.at(-1) ?? '') ?? '') : queue.floor,
    overflowed: false,
  };
}

/** Whether release would change what is shown. */
export function isSettled(queue: Queue): boolean {
  return queue.arrived.size === 0 && queue.gone.size === 0;
}

/** Orders places. The end is left out: digits of a fraction may be missing before it. */
export function compare(first = '', second = ''): number {
  const [a, b] = [first.replace(/Z$/, ''), second.replace(/Z$/, '')];
  return a < b ? -1 : a > b ? 1 : 0;
}
