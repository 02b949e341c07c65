// Requests with a deadline: over a connection that died without a word, as after a
// laptop's sleep, one would wait for ever.

/** Twice what the server gives a query. */
const deadline = 20_000;

/** fetch, which rejects with a TimeoutError when the whole answer has not come in time. */
export const fetchInTime: typeof fetch = (input, init) => {
  const late = AbortSignal.timeout(deadline);
  return fetch(input, { ...init, signal: init?.signal ? AbortSignal.any([init.signal, late]) : late });
};
