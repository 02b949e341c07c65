// JSON in colours: names apart from values.
import type { ReactNode } from 'react';

const token = /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;
const longest = 200_000;

export function paint(json: string): ReactNode {
  if (json.length > longest) return json;
  const out: ReactNode[] = [];
  let from = 0;
  for (const m of json.matchAll(token)) {
    out.push(json.slice(from, m.index));
    const look = m[2] ? 'text-accent' : m[1] ? 'text-good' : 'text-high';
    out.push(
      <span key={m.index} className={look}>
        {m[1] ?? m[0]}
      </span>,
      m[2] ?? '',
    );
    from = m.index + m[0].length;
  }
  out.push(json.slice(from));
  return out;
}
