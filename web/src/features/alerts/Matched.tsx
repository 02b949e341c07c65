// Why a rule fired: each field that matched, its value with the matching part
// marked, and what the rule looks for.
import { useState } from 'react';
import { excerptOf, markMatched } from '../../nouns/event/matched';
import { legible } from '../../ui/legible';

interface MatchedField {
  field: string;
  value: string;
  pattern: string;
  selection: string;
}

export function Matched({ fields }: { fields: readonly MatchedField[] }) {
  if (fields.length === 0) {
    return (
      <p className="text-sm text-muted">The rule fires by what the event lacks: no field of it stands for the match.</p>
    );
  }
  return (
    <ul className="divide-y divide-line rounded-lg border border-line">
      {fields.map((m) => (
        <li key={`${m.selection}/${m.field}/${m.pattern}/${m.value}`} className="space-y-1 px-3 py-2">
          <div className="flex flex-wrap items-baseline gap-x-3 text-xs">
            <span className="font-semibold">{legible(m.field || 'Anywhere')}</span>
            <span className="ml-auto text-faint">{legible(m.selection)}</span>
          </div>
          <Value value={m.value} pattern={m.pattern} />
          <div className="text-2xs text-faint">
            looks for <code className="font-mono break-all">{legible(m.pattern)}</code>
          </div>
        </li>
      ))}
    </ul>
  );
}

/** Longer ones are cut until somebody wants all of them: a script or a payload would push the rest out of sight. */
const most = 600;

function Value({ value, pattern }: { value: string; pattern: string }) {
  const [whole, setWhole] = useState(false);
  const marked = markMatched(value, pattern);
  const { parts, cut } = excerptOf(marked, whole ? value.length : most);
  return (
    <>
      <code className="block font-mono text-xs leading-5 break-all whitespace-pre-wrap">
        {cut.start && <span className="text-faint">…</span>}
        {parts.map((part, i) =>
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts have no other name
          part.hit ? <mark key={i}>{legible(part.text)}</mark> : <span key={i}>{legible(part.text)}</span>,
        )}
        {cut.end && <span className="text-faint">…</span>}
      </code>
      {value.length > most && (
        <button
          type="button"
          aria-expanded={whole}
          className="text-xs text-accent underline underline-offset-2"
          onClick={() => setWhole(!whole)}
        >
          {whole ? 'Show less' : `Show all ${value.length.toLocaleString('en')} characters`}
        </button>
      )}
    </>
  );
}
