// What the matrix shows, as it stands in the URL.
import { readRange, type TimeRange } from '../../nouns/time/range';

export interface AttackSearch extends Pick<TimeRange, 'since'> {
  /** "coverage": how many rules run; absent: how many alerts there were. */
  show?: 'coverage';
  /** The technique that is open beside the matrix. */
  technique?: string;
}

export function readSearch(raw: Record<string, unknown>): AttackSearch {
  const { since } = readRange({ since: raw.since });
  return {
    ...(since && { since }),
    ...(raw.show === 'coverage' && { show: 'coverage' as const }),
    ...(typeof raw.technique === 'string' && /^T\d{4}(\.\d{3})?$/.test(raw.technique) && { technique: raw.technique }),
  };
}
