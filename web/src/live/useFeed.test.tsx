import { ApolloClient, ApolloLink, CombinedGraphQLErrors, InMemoryCache, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { act, renderHook } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FeedChange } from '../gql/schema';
import { AlertPulseDocument, type AlertPulseSubscription } from './AlertPulse.generated';
import { type ResyncReason, useFeed } from './useFeed';

type Item = AlertPulseSubscription['alertFeed']['entries'][number]['alert'];

/** A link that a test speaks through. */
class Source extends ApolloLink {
  afters: unknown[] = [];
  push: (result: ApolloLink.Result) => void = () => {};
  fail: (error: unknown) => void = () => {};

  constructor() {
    super((operation) => {
      this.afters.push(operation.variables.after);
      return new Observable((observer) => {
        this.push = (result) => observer.next(result);
        this.fail = (error) => observer.error(error);
      });
    });
  }

  batch(...changes: [FeedChange, string, number][]): void {
    const entries = changes.map(([change, id, version]) => ({
      __typename: 'AlertFeedEntry',
      change,
      alert: { __typename: 'Alert', id, version },
    }));
    this.push({ data: { alertFeed: { __typename: 'AlertFeedBatch', cursor: 'c', entries } } });
  }
}

function follow(source: Source, bound?: number) {
  const client = new ApolloClient({ cache: new InMemoryCache(), link: source });
  const flushed: string[][] = [];
  const resyncs: ResyncReason[] = [];
  const wrapper = ({ children }: { children: ReactNode }) => (
    <ApolloProvider client={client}>{children}</ApolloProvider>
  );
  const hook = renderHook(
    ({ after, paused }: { after: string | null; paused: boolean }) =>
      useFeed({
        document: AlertPulseDocument,
        variables: {},
        after,
        paused,
        bound,
        read: (data) => data.alertFeed.entries.map((e) => ({ change: e.change, item: e.alert })),
        idOf: (item: Item) => item.id,
        onFlush: (entries) => flushed.push(entries.map((e) => `${e.change} ${e.item.id}@${e.item.version}`)),
        onResync: (reason) => resyncs.push(reason),
      }),
    { wrapper, initialProps: { after: 'p1' as string | null, paused: false } },
  );
  return { ...hook, flushed, resyncs };
}

describe('useFeed', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const frame = () => act(() => vi.advanceTimersByTimeAsync(20));

  test('waits for the list, then begins behind its position', async () => {
    const source = new Source();
    const { rerender } = follow(source);
    rerender({ after: null, paused: false });
    await frame();
    rerender({ after: 'p2', paused: false });
    await frame();
    expect(source.afters).toEqual(['p1', 'p2']);
  });

  test('hands over once per frame, one entry per id', async () => {
    const source = new Source();
    const { flushed } = follow(source);
    source.batch(['ENTERED', 'a', 1]);
    source.batch(['UPDATED', 'a', 2], ['UPDATED', 'b', 7]);
    expect(flushed).toEqual([]);
    await frame();
    expect(flushed).toEqual([['ENTERED a@2', 'UPDATED b@7']]);
  });

  test('gathers while paused and hands over afterwards', async () => {
    const source = new Source();
    const { flushed, result, rerender } = follow(source);
    rerender({ after: 'p1', paused: true });
    source.batch(['ENTERED', 'a', 1]);
    source.batch(['ENTERED', 'b', 1]);
    await frame();
    expect(result.current.waiting).toBe(2);
    expect(flushed).toEqual([]);
    rerender({ after: 'p1', paused: false });
    await frame();
    expect(flushed).toEqual([['ENTERED a@1', 'ENTERED b@1']]);
    expect(result.current.waiting).toBe(0);
    expect(source.afters, 'pausing keeps the subscription').toHaveLength(1);
  });

  test('too much while paused: the list is read anew afterwards', async () => {
    const source = new Source();
    const { flushed, resyncs, rerender } = follow(source, 2);
    rerender({ after: 'p1', paused: true });
    source.batch(['ENTERED', 'a', 1], ['ENTERED', 'b', 1], ['ENTERED', 'c', 1]);
    await frame();
    expect(resyncs).toEqual([]);
    rerender({ after: 'p1', paused: false });
    await frame();
    expect(resyncs).toEqual(['overflow']);
    expect(flushed).toEqual([]);
  });

  test('an expired cursor: the list is read anew, and the feed goes on from there', async () => {
    const source = new Source();
    const { resyncs, result, rerender } = follow(source);
    source.fail(
      new CombinedGraphQLErrors({ errors: [{ message: 'trimmed', extensions: { code: 'CURSOR_EXPIRED' } }] }),
    );
    await frame();
    expect(resyncs).toEqual(['cursor']);
    expect(result.current.error).toBeNull();
    rerender({ after: 'p2', paused: false });
    await frame();
    expect(source.afters).toEqual(['p1', 'p2']);
  });

  test('a batch that comes again after a resume hands over what it says, once per id', async () => {
    const source = new Source();
    const { flushed } = follow(source);
    source.batch(['ENTERED', 'a', 1]);
    await frame();
    source.batch(['ENTERED', 'a', 1], ['UPDATED', 'a', 2]);
    source.batch(['ENTERED', 'a', 1], ['UPDATED', 'a', 2]);
    await frame();
    expect(flushed).toEqual([['ENTERED a@1'], ['ENTERED a@2']]);
  });

  test('in a hidden tab, where no frames come, a timer hands over', async () => {
    vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
    vi.stubGlobal('requestAnimationFrame', () => 1);
    const source = new Source();
    const { flushed } = follow(source);
    source.batch(['ENTERED', 'a', 1]);
    await frame();
    expect(flushed, 'not at once').toEqual([]);
    await act(() => vi.advanceTimersByTimeAsync(1_000));
    expect(flushed).toEqual([['ENTERED a@1']]);
    vi.unstubAllGlobals();
  });

  test('what waits for a frame when the tab is hidden does not wait for the tab', async () => {
    let hidden = false;
    vi.spyOn(document, 'hidden', 'get').mockImplementation(() => hidden);
    vi.stubGlobal('requestAnimationFrame', () => 1);
    const source = new Source();
    const { flushed } = follow(source);
    source.batch(['ENTERED', 'a', 1]);
    hidden = true;
    document.dispatchEvent(new Event('visibilitychange'));
    await act(() => vi.advanceTimersByTimeAsync(1_000));
    expect(flushed).toEqual([['ENTERED a@1']]);
    vi.unstubAllGlobals();
  });

  test('too much while paused is told, for as long as it waits', async () => {
    const source = new Source();
    const { result, rerender } = follow(source, 2);
    rerender({ after: 'p1', paused: true });
    source.batch(['ENTERED', 'a', 1], ['ENTERED', 'b', 1], ['ENTERED', 'c', 1]);
    await frame();
    expect([result.current.waiting, result.current.overflowed]).toEqual([2, true]);
    rerender({ after: 'p1', paused: false });
    await frame();
    expect([result.current.waiting, result.current.overflowed]).toEqual([0, false]);
  });

  test('one that ended with an error begins again when it is told to, at the same position too', async () => {
    const source = new Source();
    const { result, flushed } = follow(source);
    source.fail(new CombinedGraphQLErrors({ errors: [{ message: 'no', extensions: { code: 'INTERNAL' } }] }));
    await frame();
    act(() => result.current.restart());
    await frame();
    expect(result.current.error).toBeNull();
    source.batch(['ENTERED', 'a', 1]);
    await frame();
    expect(flushed).toEqual([['ENTERED a@1']]);
    expect(source.afters).toEqual(['p1', 'p1']);
  });

  test('another error is told', async () => {
    const source = new Source();
    const { result } = follow(source);
    source.fail(new CombinedGraphQLErrors({ errors: [{ message: 'no', extensions: { code: 'FORBIDDEN' } }] }));
    await frame();
    expect(CombinedGraphQLErrors.is(result.current.error)).toBe(true);
  });
});
