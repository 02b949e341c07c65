// The record that a mapping is tried on, as it stands in the URL.
export interface MappingSearch {
  /** A dead letter's id. */
  letter?: string;
  /** An event's id. */
  event?: string;
}

export function readSearch(raw: Record<string, unknown>): MappingSearch {
  const { letter, event } = raw;
  if (typeof letter === 'string' && letter) return { letter };
  return typeof event === 'string' && event ? { event } : {};
}
