import { useQuery } from '@apollo/client/react';
import { Cable } from 'lucide-react';
import { actorText } from '../../nouns/journal/words';
import { Time } from '../../nouns/time/Time';
import { Banner } from '../../ui/Banner';
import { legible } from '../../ui/legible';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/States';
import { Table } from '../../ui/Table';
import { ConsumersDocument } from './Integrations.generated';

const period = 5_000;

/** Who follows a feed now, over all replicas, and how far behind. */
export function Consumers() {
  const { data, error, refetch } = useQuery(ConsumersDocument, { pollInterval: period });
  if (error && !data) {
    return (
      <ErrorState
        title="The consumers cannot be loaded"
        error={error}
        onRetry={() => void refetch().catch(() => undefined)}
      />
    );
  }
  if (!data) return <SkeletonRows rows={4} />;
  const { nodes, complete } = data.feedConsumers;
  return (
    <div className="space-y-3">
      {!complete && <Banner tone="warn">Not every replica answered: there may be more.</Banner>}
      {nodes.length === 0 ? (
        <EmptyState icon={Cable} title="Nobody follows a feed">
          docs/feeds.md shows how: graphql-ws, server-sent events, curl, or secmon tail.
        </EmptyState>
      ) : (
        <Table
          label="Feed consumers"
          columns={['Operation', 'Who', 'Transport', 'From', 'Since', 'Delivered', 'Behind']}
          rows={nodes.map((consumer) => ({
            key: consumer.id,
            cells: [
              <span key="o" className="font-medium">
                {legible(consumer.operation || 'Without a name')}
              </span>,
              actorText(consumer.owner),
              consumer.transport.toLowerCase().replace('_', ' '),
              `${consumer.address} on ${consumer.replica}`,
              <Time key="s" at={consumer.since} />,
              consumer.delivered.toLocaleString('en'),
              consumer.lag === 0 ? (
                'Nothing'
              ) : (
                <span key="l" className={consumer.lagSeconds > 5 ? 'font-semibold text-critical' : undefined}>
                  {consumer.lag.toLocaleString('en')} entries, {consumer.lagSeconds.toFixed(1)} s
                </span>
              ),
            ],
          }))}
        />
      )}
    </div>
  );
}
