// Which rows are selected. Another filter is another list: nothing stays selected
// that is out of sight.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

interface Selected {
  ids: ReadonlySet<string>;
  /** All that match are: those that are listed, and those that are not yet. */
  matching: boolean;
}

const nothing: Selected = { ids: new Set(), matching: false };

export interface Selection extends Selected {
  /** Switches a row; `through` takes all between it and the last one switched too. */
  toggle(id: string, through: boolean): void;
  /** Selects all that are listed. */
  all(): void;
  /** Selects all that match, listed or not, until a row is switched. */
  allMatching(): void;
  clear(): void;
}

export function useSelection(shown: readonly string[], filter: object): Selection {
  const [selected, setSelected] = useState(nothing);
  const last = useRef<string | null>(null);
  const rows = useRef(shown);
  rows.current = shown;
  const key = JSON.stringify(filter);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter is another list
  useEffect(() => setSelected(nothing), [key]);
  const toggle = useCallback((id: string, through: boolean) => {
    const from = last.current;
    last.current = id;
    setSelected((was) => {
      // One that is taken out of all that match leaves those that are listed.
      const ids = new Set(was.matching ? rows.current : was.ids);
      const [a, b] = [rows.current.indexOf(from ?? ''), rows.current.indexOf(id)];
      if (through && a >= 0 && b >= 0 && !was.matching) {
        for (const each of rows.current.slice(Math.min(a, b), Math.max(a, b) + 1)) ids.add(each);
      } else if (!ids.delete(id)) ids.add(id);
      return { ids, matching: false };
    });
  }, []);
  const all = useCallback(() => setSelected({ ids: new Set(rows.current), matching: false }), []);
  const allMatching = useCallback(() => setSelected((was) => ({ ...was, matching: true })), []);
  const clear = useCallback(() => setSelected(nothing), []);
  const { matching } = selected;
  const ids = useMemo(() => (matching ? new Set(shown) : selected.ids), [matching, shown, selected.ids]);
  return useMemo(
    () => ({ ids, matching, toggle, all, allMatching, clear }),
    [ids, matching, toggle, all, allMatching, clear],
  );
}
