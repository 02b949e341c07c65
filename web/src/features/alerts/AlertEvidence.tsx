// The matched events, latest first; each opens to what matched and the whole record.
import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { EventDetail } from '../../nouns/event/EventDetail';
import { Time } from '../../nouns/time/Time';
import { Facts } from '../../ui/Facts';
import { legible } from '../../ui/legible';
import { Section } from '../../ui/Section';
import { type AlertEvidenceFragment, AlertEvidenceFragmentDoc } from './AlertEvidence.generated';
import { Matched } from './Matched';

export function AlertEvidence({ alert }: { alert: FragmentType<AlertEvidenceFragment> }) {
  const { data, complete } = useFragment({ fragment: AlertEvidenceFragmentDoc, from: alert });
  if (!complete) return null;
  const { nodes, pageInfo } = data.evidence;
  return (
    <div className="space-y-2">
      {nodes.map((evidence, i) => (
        <Item key={evidence.event?.id ?? i} evidence={evidence} />
      ))}
      {pageInfo.hasNextPage && (
        <p className="text-xs text-muted">
          The latest {nodes.length} of {data.count.toLocaleString('en')} matches are shown.
        </p>
      )}
    </div>
  );
}

function Item({ evidence }: { evidence: AlertEvidenceFragment['evidence']['nodes'][number] }) {
  const [open, setOpen] = useState(false);
  const { event } = evidence;
  return (
    <details
      className="group rounded-lg border border-line"
      onToggle={(toggled) => setOpen(toggled.currentTarget.open)}
    >
      <summary className="flex list-none items-center gap-2 rounded-lg px-3 py-2 hover:bg-hover">
        <ChevronRight size={14} aria-hidden className="shrink-0 text-faint group-open:rotate-90" />
        {event ? (
          <>
            <Time at={event.occurredAt} as="clock" className="shrink-0 text-xs text-muted tabular-nums" />
            <span className="truncate">{legible(event.message || event.host)}</span>
          </>
        ) : (
          <span className="text-muted">The event is past retention.</span>
        )}
      </summary>
      {open && (
        <div className="space-y-4 border-t border-line p-3">
          <Matched fields={evidence.matched} />
          {evidence.shown.length > 0 && (
            <Section title="What the rule wants to be shown">
              <Facts rows={evidence.shown.map(({ field, value }) => [field, legible(value)])} />
            </Section>
          )}
          {evidence.ruleVersion > 0 && (
            <p className="text-xs text-muted">Found by version {evidence.ruleVersion} of the rule.</p>
          )}
          {event && <EventDetail id={event.id} />}
        </div>
      )}
    </details>
  );
}
