// Replaying dead letters, however many: in batches, the oldest first, with the outcome so far.
import { useApolloClient } from '@apollo/client/react';
import { useEffect, useRef, useState } from 'react';
import type { DeadLetterFilter } from '../../gql/schema';
import { useChange } from '../../ui/useChange';
import { addReplays, nothing, type Outcome } from './outcome';
import { DeadLetterIdsDocument, DeadLetterReplayDocument } from './Replay.generated';

/** Which letters: some, or all that match. */
export type Which = { ids: readonly string[] } | { filter: DeadLetterFilter };

export interface Replaying {
  state: 'idle' | 'running' | 'done';
  /** How many there are; null while they are being found. */
  total: number | null;
  outcome: Outcome;
  start(asText: boolean): Promise<void>;
}

/** A batch goes through the pipeline in one transaction: few enough that it answers soon. */
const batch = 200;
const page = 500;
/** The server keeps no more. */
const most = 20_000;

export function useReplay(which: Which): Replaying {
  const client = useApolloClient();
  const change = useChange();
  const [state, setState] = useState<Replaying['state']>('idle');
  const [total, setTotal] = useState<number | null>(null);
  const [outcome, setOutcome] = useState(nothing);
  // Whoever leaves stops it after the batch that is on its way.
  const left = useRef(false);
  useEffect(() => {
    left.current = false;
    return () => {
      left.current = true;
    };
  }, []);

  const find = async (filter: DeadLetterFilter): Promise<string[]> => {
    const ids: string[] = [];
    let after: string | null = null;
    do {
      const variables: { filter: DeadLetterFilter; first: number; after: string | null } = {
        filter,
        first: page,
        after,
      };
      const { data } = await client.query({ query: DeadLetterIdsDocument, variables, fetchPolicy: 'no-cache' });
      const found = data?.deadLetters;
      for (const { id } of found?.nodes ?? []) ids.push(id);
      after = found?.pageInfo.hasNextPage ? found.pageInfo.endCursor : null;
    } while (after !== null && ids.length < most && !left.current);
    return ids.reverse();
  };

  const start = async (asText: boolean) => {
    setState('running');
    setOutcome(nothing);
    const ids = 'ids' in which ? [...which.ids] : await find(which.filter).catch(() => null);
    setTotal(ids?.length ?? null);
    let sum = nothing;
    for (let at = 0; ids && at < ids.length && !left.current; at += batch) {
      const part = ids.slice(at, at + batch);
      const payload = await change(DeadLetterReplayDocument, { input: { ids: part, asText } });
      if (!payload) break; // said in a notice; what was replayed until now stays so
      sum = addReplays(sum, payload.replays, part.length);
      setOutcome(sum);
    }
    if (!left.current) setState('done');
  };
  return { state, total, outcome, start };
}
