// Which rows are selected. Another filter is another list: nothing stays selected
// that is out of sight.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

const nothing: ReadonlySet<string> = new Set();

export interface Selection {
  ids: ReadonlySet<string>;
  /** Switches a row; `through` takes all between it and the last one switched too. */
  toggle(id: string, through: boolean): void;
  all(): void;
  clear(): void;
}

export function useSelection(shown: readonly string[], filter: object): Selection {
  const [ids, setIds] = useState(nothing);
  const last = useRef<string | null>(null);
  const rows = useRef(shown);
  rows.current = shown;
  const key = JSON.stringify(filter);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter is another list
  useEffect(() => setIds(nothing), [key]);
  const toggle = useCallback((id: string, through: boolean) => {
    const from = last.current;
    last.current = id;
    setIds((was) => {
      const now = new Set(was);
      const [a, b] = [rows.current.indexOf(from ?? ''), rows.current.indexOf(id)];
      if (through && a >= 0 && b >= 0) {
        for (const each of rows.current.slice(Math.min(a, b), Math.max(a, b) + 1)) now.add(each);
      } else if (!now.delete(id)) now.add(id);
      return now;
    });
  }, []);
  const all = useCallback(() => setIds(new Set(rows.current)), []);
  const clear = useCallback(() => setIds(nothing), []);
  return useMemo(() => ({ ids, toggle, all, clear }), [ids, toggle, all, clear]);
}
