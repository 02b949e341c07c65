// What a rule says of one event: whether it fires, and by which fields.
import { Link } from '@tanstack/react-router';
import clsx from 'clsx';
import { Time } from '../../nouns/time/Time';
import { legible } from '../../ui/legible';
import type { RuleMatchFragment } from './RuleMatch.generated';

export function RuleMatch({ result }: { result: RuleMatchFragment }) {
  return (
    <li className={clsx('rounded-lg border p-2 text-xs', result.matches ? 'border-accent' : 'border-line')}>
      <p className="flex gap-2">
        <span className="font-semibold">
          {result.error
            ? 'Unreadable'
            : result.matches
              ? 'Fires'
              : result.sameLogSource
                ? 'Does not fire'
                : 'Another log source'}
        </span>
        {result.event ? (
          <Link
            to="/events"
            search={{ event: result.event.id }}
            className="min-w-0 truncate text-muted hover:underline"
          >
            {legible(result.event.host)} · <Time at={result.event.occurredAt} />
          </Link>
        ) : (
          <span className="text-muted">{result.line ? `line ${result.line}` : 'past retention'}</span>
        )}
        <span className="ml-auto shrink-0 text-faint">
          {[result.logSource?.product, result.logSource?.category, result.logSource?.service]
            .filter(Boolean)
            .join(' / ')}
        </span>
      </p>
      {result.error && <p className="text-critical">{legible(result.error)}</p>}
      {result.fields.map((field) => (
        <p key={`${field.selection}-${field.field}-${field.pattern}`} className="mt-1 font-mono break-all">
          <span className="text-faint">{legible(field.selection)}</span> {legible(field.field || 'keyword')}{' '}
          <mark>{legible(field.value)}</mark> <span className="text-muted">{legible(field.pattern)}</span>
        </p>
      ))}
    </li>
  );
}
