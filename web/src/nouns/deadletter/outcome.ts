// What became of dead letters that were replayed, all in all.
import type { DeadLetterReplayMutation } from './Replay.generated';

type Replay = Pick<DeadLetterReplayMutation['deadLetterReplay']['replays'][number], 'stored' | 'repeated' | 'result'>;

export interface Outcome {
  /** Letters that an answer has come for. */
  done: number;
  stored: number;
  /** Stored by an earlier replay. */
  repeated: number;
  refused: number;
  /** Deleted meanwhile. */
  gone: number;
  /** Why letters were refused, the most frequent first. */
  reasons: readonly { text: string; count: number }[];
  /** The formats that events were stored as. */
  formats: readonly string[];
}

export const nothing: Outcome = { done: 0, stored: 0, repeated: 0, refused: 0, gone: 0, reasons: [], formats: [] };

/** The outcome so far with that of `asked` letters more; for those that are gone no replay is told. */
export function addReplays(to: Outcome, replays: readonly Replay[], asked: number): Outcome {
  const reasons = new Map(to.reasons.map(({ text, count }) => [text, count]));
  const formats = new Set(to.formats);
  let { stored, repeated, refused } = to;
  for (const replay of replays) {
    if (replay.repeated) repeated++;
    else if (replay.stored) stored++;
    else {
      refused++;
      reasons.set(replay.result, (reasons.get(replay.result) ?? 0) + 1);
    }
    const format = formatOf(replay.result);
    if (format) formats.add(format);
  }
  return {
    done: to.done + asked,
    stored,
    repeated,
    refused,
    gone: to.gone + asked - replays.length,
    reasons: [...reasons].map(([text, count]) => ({ text, count })).sort((a, b) => b.count - a.count),
    formats: [...formats],
  };
}

/** "map:gate" of "stored as map:gate"; null of what tells of no event. */
export function formatOf(result: string): string | null {
  return /^stored as (\S+)$/.exec(result)?.[1] ?? null;
}
