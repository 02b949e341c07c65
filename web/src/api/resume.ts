// Payloads of running feeds. graphql-ws sends the same object on every retry, so
// the newest position is written into the object itself.
const resumables = new WeakSet<object>();

interface Resumable {
  variables?: Record<string, unknown> | null;
}

/** Says that an operation takes `$after` and may be begun again behind a position. */
export function resumes(payload: Resumable): void {
  resumables.add(payload);
}

/** Lets the next try of a feed begin behind a position. Payloads of other operations stay as they are. */
export function advance(payload: Resumable, cursor: string): void {
  if (resumables.has(payload)) payload.variables = { ...payload.variables, after: cursor };
}
