// JSON in colours: names apart from values, and values that made a rule fire marked.

import type { ReactNode } from 'react';
import { legible } from '../../ui/legible';

const token = /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;
const longest = 200_000;

/** `matched`: the values to mark, as they are without quotes and escapes. */
export function paint(json: string, matched: readonly string[] = []): ReactNode {
  if (json.length > longest) return legible(json);
  const wanted = new Set(matched);
  const out: ReactNode[] = [];
  let from = 0;
  for (const m of json.matchAll(token)) {
    out.push(legible(json.slice(from, m.index)));
    const look = m[2] ? 'text-accent' : m[1] ? 'text-good' : 'text-high';
    const shown = m[1] ?? m[0];
    const hit = !m[2] && wanted.size > 0 && wanted.has(plain(shown));
    out.push(
      hit ? (
        <mark key={m.index}>{legible(shown)}</mark>
      ) : (
        <span key={m.index} className={look}>
          {legible(shown)}
        </span>
      ),
      m[2] ?? '',
    );
    from = m.index + m[0].length;
  }
  out.push(legible(json.slice(from)));
  return out;
}

/** What a JSON value says, without quotes and escapes. */
function plain(token: string): string {
  return token.startsWith('"') ? String(JSON.parse(token)) : token;
}
