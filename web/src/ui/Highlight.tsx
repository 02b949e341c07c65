// Text with the places marked that match.

import { Fragment } from 'react';
import { legible } from './legible';

/** Cuts text at every occurrence of needle, letter case aside: odd parts are the occurrences. */
export function split(text: string, needle: string): string[] {
  if (!needle) return [text];
  const parts: string[] = [];
  const lower = text.toLowerCase();
  const wanted = needle.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), text.slice(at, at + needle.length));
    from = at + needle.length;
  }
  parts.push(text.slice(from));
  return parts;
}

export function Highlight({ text, needle }: { text: string; needle: string }) {
  return (
    <>
      {split(text, needle).map((part, i) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts have no other name
        i % 2 ? <mark key={i}>{legible(part)}</mark> : <Fragment key={i}>{legible(part)}</Fragment>,
      )}
    </>
  );
}
