// Who did what to a thing, with each changed field before and after.
import { ArrowRight } from 'lucide-react';
import { Time } from '../time/Time';
import { actionLabel, actorText, fieldLabel, isInstant, type JournalActor, valueText } from './words';

interface JournalListEntry {
  cursor: string;
  at: string;
  action: string;
  actor: JournalActor;
  changes: readonly { field: string; before: unknown; after: unknown }[];
}

export function JournalList({ entries, more }: { entries: readonly JournalListEntry[]; more: boolean }) {
  return (
    <ol className="relative space-y-4 border-l border-line pl-4">
      {entries.map((entry) => (
        <li key={entry.cursor}>
          <span aria-hidden className="absolute -left-1 mt-1.5 size-2 rounded-full bg-line-strong" />
          <div className="flex flex-wrap items-baseline gap-x-2">
            <span className="font-semibold">{actionLabel(entry.action)}</span>
            <span className="text-muted">by {actorText(entry.actor)}</span>
            <Time at={entry.at} className="ml-auto text-xs text-faint" />
          </div>
          <ChangeList changes={entry.changes} />
        </li>
      ))}
      {more && <li className="text-xs text-muted">Earlier changes are not shown.</li>}
    </ol>
  );
}

export function ChangeList({ changes }: { changes: JournalListEntry['changes'] }) {
  if (changes.length === 0) return null;
  return (
    <ul className="mt-1 space-y-0.5 text-xs">
      {changes.map((change) => (
        <li key={change.field} className="flex flex-wrap items-baseline gap-x-1.5">
          <span className="text-faint">{fieldLabel(change.field)}</span>
          <Value field={change.field} value={change.before} />
          <ArrowRight size={11} aria-label="to" className="self-center text-faint" />
          <Value field={change.field} value={change.after} />
        </li>
      ))}
    </ul>
  );
}

function Value({ field, value }: { field: string; value: unknown }) {
  if (isInstant(value)) return <Time at={value} as="clock" />;
  return <span className="break-words">{valueText(field, value)}</span>;
}
