// What a correlation rule counted, in the order of time: which rule found which event.
import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { Time } from '../../nouns/time/Time';
import { type AlertMembersFragment, AlertMembersFragmentDoc } from './AlertMembers.generated';

export function AlertMembers({ alert }: { alert: FragmentType<AlertMembersFragment> }) {
  const { data, complete } = useFragment({
    fragment: AlertMembersFragmentDoc,
    from: alert,
    fragmentName: 'AlertMembers',
  });
  if (!complete || data.members.nodes.length === 0) return null;
  const { nodes, pageInfo } = data.members;
  return (
    <section aria-labelledby="alert-members" className="mb-4">
      <h3 id="alert-members" className="mb-2 text-xs font-medium text-muted">
        Counted by the correlation, earliest first
      </h3>
      <ol className="divide-y divide-line rounded-lg border border-line">
        {nodes.map((member) => (
          <Row key={`${member.event?.id ?? ''} ${member.rule?.id ?? ''} ${member.occurredAt}`} member={member} />
        ))}
      </ol>
      {pageInfo.hasNextPage && <p className="mt-2 text-xs text-muted">The earliest {nodes.length} are shown.</p>}
    </section>
  );
}

function Row({ member }: { member: AlertMembersFragment['members']['nodes'][number] }) {
  const { rule, event, value } = member;
  return (
    <li className="px-3 py-2">
      <div className="flex items-baseline gap-2">
        <Time at={member.occurredAt} as="clock" className="shrink-0 text-xs text-muted tabular-nums" />
        <span className="min-w-0 truncate font-medium">{rule?.title ?? 'A rule that has been deleted'}</span>
        {value && <span className="ml-auto min-w-0 truncate font-mono text-xs">{value}</span>}
      </div>
      <p className="truncate text-xs text-muted">
        {event ? event.message || event.host : 'The event is past retention.'}
      </p>
    </li>
  );
}
