// What the playground itself asks the server, as the viewer.
import { endpoint, freshToken } from '../src/api/session';

export async function call<T>(query: string, variables?: object): Promise<T> {
  const token = await freshToken();
  const response = await fetch(endpoint, {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const answer = await response.json().catch(() => null);
  if (!answer?.data || answer.errors?.length) {
    throw new Error(answer?.errors?.[0]?.message ?? `the server answered ${response.status}`);
  }
  return answer.data as T;
}

/** What a user can mend. */
export interface UserError {
  message: string;
}

export const messages = (errors: readonly UserError[]) => errors.map((e) => e.message).join('; ');
