// A list that is read page by page, and can be read again as far as it is shown:
// for lists that no feed carries, but that something tells to look again.
import { useCallback, useEffect, useRef, useState } from 'react';

export interface Page<T> {
  items: readonly T[];
  /** Where the next page begins; null at the end. */
  next: string | null;
}

interface PagesOptions<T> {
  /** What is listed: another key is another list. Null: nothing is read yet. */
  key: string | null;
  /** Reads at most `first` after a cursor. */
  read(first: number, after: string | null): Promise<Page<T>>;
  idOf(item: T): string;
  /** How many a press brings. */
  size: number;
}

export interface Pages<T> {
  /** Null until the first page of a list has come; those of the list before stay until then. */
  items: readonly T[] | null;
  hasMore: boolean;
  loading: boolean;
  error: unknown;
  more(): void;
  /** Reads again what is shown, in place: as many as there are, and no fewer. */
  refresh(): void;
  /** Does again what failed. */
  retry(): void;
}

/** How many one request brings at most when what is shown is read again. */
const most = 200;

type Work = 'anew' | 'further' | 'again';

export function usePages<T>({ key, read, idOf, size }: PagesOptions<T>): Pages<T> {
  const [state, setState] = useState({
    items: null as readonly T[] | null,
    next: null as string | null,
    loading: true,
    error: null as unknown,
  });
  const latest = useRef({ read, idOf, size, state });
  latest.current = { read, idOf, size, state };
  const turn = useRef(0);
  // What runs, what failed, and whether to look again once it is done.
  const running = useRef<Work | null>(null);
  const failed = useRef<Work>('anew');
  const due = useRef(false);
  // How many pages were read. A page may be short: reading again takes no more requests than it took at first.
  const pages = useRef(0);

  const work = useCallback(async (what: Work): Promise<void> => {
    const mine = ++turn.current;
    running.current = what;
    const { read, idOf, size, state } = latest.current;
    // Looking again is silent: nobody asked for it.
    if (what !== 'again') setState((was) => ({ ...was, loading: true, error: null }));
    const shown = what === 'anew' ? [] : (state.items ?? []);
    try {
      const items = new Map(what === 'further' ? shown.map((item) => [idOf(item), item]) : []);
      let next = what === 'further' ? state.next : null;
      const wanted = what === 'again' ? Math.max(size, shown.length) : items.size + size;
      let requests = 0;
      do {
        requests++;
        const page: Page<T> = await read(Math.min(most, Math.max(1, wanted - items.size)), next);
        if (mine !== turn.current) return;
        for (const item of page.items) items.set(idOf(item), item);
        next = page.next;
      } while (what === 'again' && next !== null && items.size < wanted && requests < pages.current);
      if (what !== 'again') pages.current = what === 'anew' ? 1 : pages.current + 1;
      setState({ items: [...items.values()], next, loading: false, error: null });
    } catch (error) {
      if (mine !== turn.current) return;
      failed.current = what;
      setState((was) => ({ ...was, loading: false, error }));
    }
    running.current = null;
    if (due.current) {
      due.current = false;
      setTimeout(() => void work('again'));
    }
  }, []);

  useEffect(() => {
    if (key !== null) void work('anew');
    return () => {
      turn.current++;
      running.current = null;
      due.current = false;
    };
  }, [key, work]);

  const refresh = useCallback(() => {
    if (running.current) due.current = true;
    else if (latest.current.state.items) void work('again');
  }, [work]);
  return {
    items: state.items,
    hasMore: state.next !== null,
    loading: state.loading,
    error: state.error,
    more: () => {
      if (state.next !== null && !running.current && !state.error) void work('further');
    },
    refresh,
    retry: () => void work(failed.current),
  };
}
