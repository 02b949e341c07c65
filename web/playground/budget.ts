// What the server said of the viewer's budget with its last answer over HTTP.
export interface Budget {
  cost: number;
  /** 0: no bound. */
  limit: number;
  remaining: number;
}

let current: Budget | null = null;
const listeners = new Set<() => void>();

export const getBudget = () => current;

export function subscribeBudget(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Reads the headers of an answer; one without them changes nothing. */
export function noteBudget(headers: Headers): void {
  const number = (name: string) => Number(headers.get(`x-ratelimit-${name}`) ?? Number.NaN);
  const cost = number('cost');
  if (Number.isNaN(cost)) return;
  current = { cost, limit: number('limit') || 0, remaining: number('remaining') || 0 };
  for (const listener of listeners) listener();
}
