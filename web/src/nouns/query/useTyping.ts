// Whether a change of a query line goes on with what was typed just before. Then
// it takes the place of that entry in the browser's history: going back leaves
// the line as it was before, not letter by letter.
import { useRef } from 'react';

const pauseBetween = 5_000;

/** Tell it the address before and after each typed change; it says whether to replace the entry. */
export function useTyping(): (before: object, after: object) => boolean {
  const last = useRef({ search: '', at: 0 });
  return (before, after) => {
    const { search, at } = last.current;
    const now = Date.now();
    last.current = { search: JSON.stringify(after), at: now };
    return search === JSON.stringify(before) && now - at < pauseBetween;
  };
}
