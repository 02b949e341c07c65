// One event whole: its envelope and the record as it came. Read when shown.
import { useQuery } from '@apollo/client/react';
import { ErrorState, Skeleton } from '../../ui/States';
import { ProcessTree } from '../process/ProcessTree';
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
      {data.event.class === 'PROCESS_ACTIVITY' && (
        <details>
          <summary className="text-xs font-semibold text-muted">Process tree</summary>
          <div className="mt-2">
            <ProcessTree event={id} />
          </div>
        </details>
      )}
      <EventRaw event={data.event} />
    </div>
  );
}
