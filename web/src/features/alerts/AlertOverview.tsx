// Why it fired, about what, and the event that did it.
import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Address } from '../../nouns/entity/Address';
import { EntityLink } from '../../nouns/entity/EntityLink';
import { EventEnvelope } from '../../nouns/event/EventEnvelope';
import { EventRaw } from '../../nouns/event/EventRaw';
import { withCondition } from '../../nouns/query/condition';
import { Techniques } from '../../nouns/rule/Techniques';
import { Facts } from '../../ui/Facts';
import { legible } from '../../ui/legible';
import { Section } from '../../ui/Section';
import { type AlertOverviewFragment, AlertOverviewFragmentDoc } from './AlertOverview.generated';
import { Matched } from './Matched';

/** The search for the events of a host around an instant. */
function aroundIt(host: string, at: string): { q: string; from: string; to: string } {
  const instant = (ms: number) => new Date(Date.parse(at) + ms).toISOString();
  return { q: withCondition('', 'host', host), from: instant(-900_000), to: instant(900_000) };
}

interface AlertOverviewProps {
  alert: FragmentType<AlertOverviewFragment>;
  /** The tags, with what changes them. */
  tags: ReactNode;
}

export function AlertOverview({ alert, tags }: AlertOverviewProps) {
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
        {latest && latest.shown.length > 0 && (
          <Facts
            rows={latest.shown.map(({ field, value }) => [
              field,
              <code key={field} className="font-mono text-xs break-all">
                {value}
              </code>,
            ])}
          />
        )}
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
            ['Process', data.process && <code className="font-mono text-xs break-all">{legible(data.process)}</code>],
            ['Techniques', data.techniques.length > 0 && <Techniques ids={data.techniques} />],
            ['Tags', tags],
          ]}
        />
      </Section>
      <Section title="The latest event">
        {latest?.event ? (
          <>
            <EventEnvelope event={latest.event} />
            {data.host && (
              <p className="mt-2 text-xs">
                <Link
                  to="/events"
                  search={aroundIt(data.host, latest.event.occurredAt)}
                  className="text-accent underline underline-offset-2"
                >
                  What else happened on {legible(data.host)} within a quarter of an hour
                </Link>
              </p>
            )}
          </>
        ) : (
          <p className="text-muted">The event is past retention.</p>
        )}
      </Section>
      {latest?.event && (
        <Section title="Raw record">
          <EventRaw event={latest.event} matched={latest.matched.map((field) => field.value)} />
        </Section>
      )}
    </div>
  );
}
