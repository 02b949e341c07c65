// Follows a feed from a list's position and hands over what came, once per
// frame, in one batch of cache writes. While paused it gathers, up to a bound.
import type { ApolloCache, OperationVariables } from '@apollo/client';
import { useApolloClient } from '@apollo/client/react';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { useCallback, useEffect, useRef, useState } from 'react';
import { hasCode } from '../api/errors';
import { type FeedEntry, FeedQueue } from './feedQueue';
import { createFrames } from './frames';

export type { FeedEntry } from './feedQueue';

/** cursor: the position is past retention or of another database. overflow: too much came while paused. */
export type ResyncReason = 'cursor' | 'overflow';

export interface FeedOptions<TData, TVariables extends OperationVariables, TItem> {
  document: TypedDocumentNode<TData, TVariables>;
  /** Everything but `after`. A new object with the same content goes on; other content begins anew. */
  variables: Omit<TVariables, 'after'>;
  /** The position of the list that the feed keeps right; null while there is none yet; "" for a feed from now on. */
  after: string | null;
  read(data: TData): FeedEntry<TItem>[];
  idOf(item: TItem): string;
  paused?: boolean;
  /** The most that waits; beyond it the list is read anew. */
  bound?: number;
  onFlush(entries: FeedEntry<TItem>[], cache: ApolloCache): void;
  /** The list must be read anew; the feed goes on from its new position. */
  onResync(reason: ResyncReason): void;
}

export interface FeedState {
  /** How many changed items wait while paused. */
  waiting: number;
  /** More than can wait have come while paused: the list is read anew afterwards. */
  overflowed: boolean;
  /** Why the feed cannot go on by itself. */
  error: unknown;
}

const defaultBound = 5_000;

const quiet: FeedState = { waiting: 0, overflowed: false, error: null };

export function useFeed<TData, TVariables extends OperationVariables, TItem>(
  options: FeedOptions<TData, TVariables, TItem>,
): FeedState & { restart(): void } {
  const client = useApolloClient();
  const latest = useRef(options);
  latest.current = options;
  const [state, setState] = useState<FeedState>(quiet);
  const [round, setRound] = useState(0);
  const wake = useRef<() => void>(() => {});
  const key = JSON.stringify(options.variables);
  const { document, after, paused = false } = options;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` stands for the variables
  useEffect(() => {
    if (after === null) return;
    const bound = latest.current.bound ?? defaultBound;
    const queue = new FeedQueue<TItem>((item) => latest.current.idOf(item), bound);
    const flush = () => {
      if (latest.current.paused) {
        const { overflowed } = queue;
        const waiting = overflowed ? bound : queue.size;
        setState((was) =>
          was.waiting === waiting && was.overflowed === overflowed ? was : { ...was, waiting, overflowed },
        );
        return;
      }
      if (queue.overflowed) {
        queue.reset();
        latest.current.onResync('overflow');
      }
      const entries = queue.drain();
      if (entries.length > 0) {
        client.cache.batch({ update: (cache) => latest.current.onFlush(entries, cache as ApolloCache) });
      }
      setState((was) => (was.waiting === 0 ? was : { ...was, waiting: 0, overflowed: false }));
    };
    const frames = createFrames(flush);
    wake.current = frames.request;
    setState(quiet);
    const variables = { ...latest.current.variables, ...(after && { after }) } as unknown as TVariables;
    const subscription = client
      .subscribe<TData, TVariables>({ query: document, variables, fetchPolicy: 'no-cache' } as Parameters<
        typeof client.subscribe<TData, TVariables>
      >[0])
      .subscribe({
        next: ({ data, error }) => {
          if (error) {
            if (!hasCode(error, 'CURSOR_EXPIRED')) setState((was) => ({ ...was, error }));
            else {
              latest.current.onResync('cursor');
              if (after === '') setRound((n) => n + 1);
            }
            return;
          }
          if (!data) return;
          queue.push(latest.current.read(data as TData));
          if (queue.size > 0 || queue.overflowed) frames.request();
        },
      });
    return () => {
      subscription.unsubscribe();
      frames.stop();
      wake.current = () => {};
    };
  }, [client, document, key, after, round]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: resuming shows what has waited
  useEffect(() => wake.current(), [paused]);

  // A subscription that ended with an error stays ended while its position is the same.
  const restart = useCallback(() => setRound((n) => n + 1), []);
  return { ...state, restart };
}
