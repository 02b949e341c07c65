// Why it fired, about what, and the event that did it.
import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { Address } from '../../nouns/entity/Address';
import { EntityLink } from '../../nouns/entity/EntityLink';
import { EventEnvelope } from '../../nouns/event/EventEnvelope';
import { EventRaw } from '../../nouns/event/EventRaw';
import { Techniques } from '../../nouns/rule/Techniques';
import { Facts } from '../../ui/Facts';
import { Section } from '../../ui/Section';
import { type AlertOverviewFragment, AlertOverviewFragmentDoc } from './AlertOverview.generated';
import { Matched } from './Matched';

export function AlertOverview({ alert }: { alert: FragmentType<AlertOverviewFragment> }) {
  const { data, complete } = useFragment({
    fragment: AlertOverviewFragmentDoc,
    from: alert,
    fragmentName: 'AlertOverview',
  });
  if (!complete) return null;
  const latest = data.latest.nodes[0];
  return (
    <div className="space-y-5">
      <Section title="Why it fired">
        {latest ? <Matched fields={latest.matched} /> : <p>The evidence is past retention.</p>}
      </Section>
      <Section title="What it is about">
        <Facts
          rows={[
            ['Host', data.host && <EntityLink key="h" kind="HOST" value={data.host} />],
            ['User', data.user && <EntityLink key="u" kind="USER" value={data.user} />],
            ['Source', data.source.ip && <Address key="s" ip={data.source.ip} port={data.source.port} />],
            [
              'Destination',
              data.destination.ip && <Address key="d" ip={data.destination.ip} port={data.destination.port} />,
            ],
            ['Process', data.process && <code className="font-mono text-xs break-all">{data.process}</code>],
            ['Techniques', data.techniques.length > 0 && <Techniques ids={data.techniques} />],
            ['Tags', data.tags.join(', ')],
          ]}
        />
      </Section>
      <Section title="The latest event">
        {latest?.event ? (
          <EventEnvelope event={latest.event} />
        ) : (
          <p className="text-muted">The event is past retention.</p>
        )}
      </Section>
      {latest?.event && (
        <Section title="Raw record">
          <EventRaw event={latest.event} />
        </Section>
      )}
    </div>
  );
}
