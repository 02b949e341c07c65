// Who did what to the alert, with each changed field before and after.
import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { ArrowRight } from 'lucide-react';
import { Time } from '../../nouns/time/Time';
import { type AlertHistoryFragment, AlertHistoryFragmentDoc } from './AlertHistory.generated';
import { actionLabel, fieldLabel, isInstant, valueText } from './history';

type Entry = AlertHistoryFragment['journal']['nodes'][number];

export function AlertHistory({ alert }: { alert: FragmentType<AlertHistoryFragment> }) {
  const { data, complete } = useFragment({ fragment: AlertHistoryFragmentDoc, from: alert });
  if (!complete) return null;
  return (
    <ol className="relative space-y-4 border-l border-line pl-4">
      {data.journal.nodes.map((entry) => (
        <li key={entry.cursor}>
          <span aria-hidden className="absolute -left-1 mt-1.5 size-2 rounded-full bg-line-strong" />
          <div className="flex flex-wrap items-baseline gap-x-2">
            <span className="font-semibold">{actionLabel(entry.action)}</span>
            <span className="text-muted">by {actorOf(entry)}</span>
            <Time at={entry.at} className="ml-auto text-xs text-faint" />
          </div>
          {entry.changes.length > 0 && (
            <ul className="mt-1 space-y-0.5 text-xs">
              {entry.changes.map((change) => (
                <li key={change.field} className="flex flex-wrap items-baseline gap-x-1.5">
                  <span className="text-faint">{fieldLabel(change.field)}</span>
                  <Value field={change.field} value={change.before} />
                  <ArrowRight size={11} aria-label="to" className="self-center text-faint" />
                  <Value field={change.field} value={change.after} />
                </li>
              ))}
            </ul>
          )}
        </li>
      ))}
      {data.journal.pageInfo.hasNextPage && <li className="text-xs text-muted">Earlier changes are not shown.</li>}
    </ol>
  );
}

function actorOf({ actor }: Entry): string {
  if (actor.user) return actor.user.displayName;
  return actor.kind === 'SYSTEM' ? 'the system' : `token ${actor.name}`;
}

function Value({ field, value }: { field: string; value: unknown }) {
  if (isInstant(value)) return <Time at={value} as="clock" />;
  return <span className="break-words">{valueText(field, value)}</span>;
}
