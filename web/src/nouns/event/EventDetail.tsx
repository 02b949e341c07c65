// One event whole: its envelope and the record as it came. Read when shown.
import { useQuery } from '@apollo/client/react';
import { ErrorState, Skeleton } from '../../ui/States';
import { EventDetailDocument } from './EventDetail.generated';
import { EventEnvelope } from './EventEnvelope';
import { EventRaw } from './EventRaw';

export function EventDetail({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(EventDetailDocument, { variables: { id }, fetchPolicy: 'cache-first' });
  if (error) return <ErrorState title="The event cannot be loaded" error={error} onRetry={() => refetch()} />;
  if (!data) return <Skeleton className="h-32 w-full" />;
  if (!data.event) return <p className="text-sm text-muted">The event is past retention.</p>;
  return (
    <div className="space-y-3" data-detail>
      <EventEnvelope event={data.event} />
      <EventRaw event={data.event} />
    </div>
  );
}
