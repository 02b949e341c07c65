// The incidents that are shown: the newest created first, as far down as was read.

interface Incident {
  id: string;
  createdAt: string;
}

/** The list with one more page; what the feed has brought already is there once. */
export function appendPage<T extends Incident>(shown: readonly T[], page: readonly T[]): readonly T[] {
  const known = new Set(page.map(({ id }) => id));
  return [...shown.filter(({ id }) => !known.has(id)), ...page].sort(newestFirst);
}

/**
 * The list after what the feed tells. `end`: when the last one was created that was read, where the server
 * has more below. What belongs there is left to its page.
 */
export function applyChanges<T extends Incident>(
  shown: readonly T[],
  entries: readonly { change: string; item: T }[],
  end: string | null,
): readonly T[] {
  const now = new Map(shown.map((incident) => [incident.id, incident]));
  for (const { change, item } of entries) {
    if (change === 'LEFT') now.delete(item.id);
    else if (now.has(item.id) || end === null || item.createdAt >= end) now.set(item.id, item);
  }
  return [...now.values()].sort(newestFirst);
}

function newestFirst(a: Incident, b: Incident): number {
  return b.createdAt.localeCompare(a.createdAt);
}
