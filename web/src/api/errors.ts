// What went wrong, for people: a sentence, a code, and the request's id, which
// also stands in the server's log.
import { CombinedGraphQLErrors, ServerError } from '@apollo/client';

export interface Failure {
  message: string;
  code: string | null;
  requestId: string | null;
}

/** Describes any error that a query, mutation or feed can give. */
export function describe(error: unknown): Failure {
  if (CombinedGraphQLErrors.is(error)) {
    const first = error.errors[0];
    return {
      message: first?.message ?? 'The server refused and gave no reason.',
      code: text(first?.extensions?.code),
      requestId: text(first?.extensions?.requestId),
    };
  }
  if (ServerError.is(error)) {
    return {
      message: `The server answered ${error.statusCode}.`,
      code: String(error.statusCode),
      requestId: error.response.headers.get('x-request-id'),
    };
  }
  if (error instanceof TypeError) {
    return { message: 'The server cannot be reached.', code: 'UNREACHABLE', requestId: null };
  }
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return { message: 'The server did not answer in time.', code: 'TIMEOUT', requestId: null };
  }
  return { message: error instanceof Error ? error.message : String(error), code: null, requestId: null };
}

export function hasCode(error: unknown, code: string): boolean {
  return CombinedGraphQLErrors.is(error) && error.errors.some((e) => e.extensions?.code === code);
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value ? value : null;
}
