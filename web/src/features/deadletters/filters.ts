// The filters of dead letters as they stand in the URL, and as the API takes them.
import type { DeadLetterFilter, DeadLetterState } from '../../gql/schema';

export const states: readonly (readonly [DeadLetterState, string])[] = [
  ['WAITING', 'Waits'],
  ['REPLAYED', 'Stored'],
  ['FAILED', 'Refused again'],
];

/** Why records are refused. */
export const codes: readonly (readonly [string, string])[] = [
  ['MALFORMED_JSON', 'No JSON'],
  ['MAPPING_FAILED', 'Mapping lacks a value'],
  ['NOT_AN_OBJECT', 'No object'],
  ['RECORD_TOO_LARGE', 'Too large'],
  ['INVALID_UTF8', 'No UTF-8'],
  ['TOO_DEEP', 'Nested too deeply'],
  ['UNSUPPORTED', 'Unsupported'],
];

export interface LetterSearch {
  /** In the record's beginning or the reason. */
  q?: string;
  state?: string;
  code?: string;
  /** A source's id. */
  source?: string;
  /** The letter that is open beside the list. */
  letter?: string;
}

export function readSearch(raw: Record<string, unknown>): LetterSearch {
  const search: LetterSearch = {
    q: text(raw.q),
    state: known(states, raw.state),
    code: known(codes, raw.code),
    source: text(raw.source),
    letter: text(raw.letter),
  };
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}

function known(options: readonly (readonly [string, string])[], raw: unknown): string | undefined {
  return options.find(([value]) => value.toLowerCase() === raw)?.[0].toLowerCase();
}

function text(raw: unknown): string | undefined {
  return typeof raw === 'string' || typeof raw === 'number' ? String(raw).slice(0, 500) || undefined : undefined;
}

export function apiFilter({ q, state, code, source }: LetterSearch): DeadLetterFilter {
  return {
    ...(q && { text: q }),
    ...(state && { state: state.toUpperCase() as DeadLetterState }),
    ...(code && { code: code.toUpperCase() }),
    ...(source && { source }),
  };
}

export function codeLabel(code: string): string {
  return codes.find(([each]) => each === code)?.[1] ?? code;
}

/** The mapping that refused a record, by its reason; null where it was none. */
export function mappingOf({ code, message }: { code: string; message: string }): string | null {
  return code === 'MAPPING_FAILED' ? (/^the mapping (\S+) requires /.exec(message)?.[1] ?? null) : null;
}
