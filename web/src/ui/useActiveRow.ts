// The row of a list that the keys act on. While one is open beside the list, moving
// opens the next in its place.
import { type RefObject, useState } from 'react';
import { useKeys } from './keys';

interface ActiveRow {
  active: string | null;
  activate(id: string): void;
}

/** `show` opens a row, or closes the one that is open; with `replace` that is no step of its own to go back from. */
export function useActiveRow(
  open: string | undefined,
  show: (id: string | undefined, replace?: boolean) => void,
  search: RefObject<HTMLInputElement | null>,
): ActiveRow {
  const [active, setActive] = useState<string | null>(open ?? null);
  useKeys({
    '/': () => search.current?.focus(),
    Escape: open ? () => show(undefined) : active ? () => setActive(null) : undefined,
  });
  return {
    active,
    activate: (id) => {
      setActive(id);
      if (open) show(id, true);
    },
  };
}
