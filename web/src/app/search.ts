// What stands in the URL behind the question mark.

type Raw = Record<string, unknown>;

/**
 * The reader of a route's search parameters, so that what it refuses is gone. The router lays what a reader
 * gives over what stands in the URL: a refused value would come through, unless something takes its place.
 */
export function only<T extends object>(read: (raw: Raw) => T): (raw: Raw) => T {
  return (raw) => ({ ...Object.fromEntries(Object.keys(raw).map((key) => [key, undefined])), ...read(raw) });
}
