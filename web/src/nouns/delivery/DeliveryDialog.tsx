// One delivery: how far it got, each try with its answer, and what is sent.
import { useQuery } from '@apollo/client/react';
import { SearchX, Send } from 'lucide-react';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { Section } from '../../ui/Section';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States';
import { useEvery } from '../../ui/useEvery';
import { Time } from '../time/Time';
import { Answer, attemptText } from './Attempt';
import { Body } from './Body';
import { DeliveryDetailDocument } from './Delivery.generated';
import { DeliveryBadge } from './looks';
import { pretty } from './pretty';

interface DeliveryDialogProps {
  id: string;
  onClose(): void;
  /** Sends it again. */
  onRedeliver(id: string): Promise<unknown>;
}

export function DeliveryDialog({ id, onClose, onRedeliver }: DeliveryDialogProps) {
  const { data, error, refetch } = useQuery(DeliveryDetailDocument, { variables: { id }, fetchPolicy: 'network-only' });
  const reload = () => void refetch().catch(() => undefined);
  useEvery(2_000, reload);
  const delivery = data?.delivery;
  return (
    <Dialog title={delivery ? `Delivery ${delivery.number}` : 'Delivery'} onClose={onClose}>
      {delivery ? (
        <div className="space-y-4">
          <div className="flex flex-wrap items-center gap-2">
            <DeliveryBadge state={delivery.state} attempts={delivery.attempts} />
            <code className="font-mono text-xs break-all text-muted">{delivery.messageId}</code>
          </div>
          {delivery.nextAt && delivery.attempts > 0 && (
            <p className="text-xs text-muted">
              The next try: <Time at={delivery.nextAt} />
            </p>
          )}
          <Section title="Tries">
            {delivery.log.length === 0 ? (
              <p className="text-muted">None yet.</p>
            ) : (
              <ol className="space-y-2">
                {delivery.log.map((attempt) => (
                  <li key={attempt.at} className="text-xs">
                    <p>
                      <Time at={attempt.at} />, {attempt.took} ms: {legible(attemptText(attempt))}
                    </p>
                    {attempt.response && <Answer text={attempt.response} />}
                  </li>
                ))}
              </ol>
            )}
          </Section>
          <Section title="Body">
            {delivery.body ? (
              <Body label="Body of the delivery" text={pretty(delivery.body)} />
            ) : (
              <p className="text-muted">It is kept no longer.</p>
            )}
          </Section>
          <div className="flex justify-end gap-2">
            {delivery.body && !delivery.test && (
              <Button
                icon={Send}
                onClick={async () => {
                  if (await onRedeliver(id)) notify('info', 'It is sent again under the same id.');
                  reload();
                }}
              >
                {delivery.state === 'PENDING' ? 'Try now' : 'Send again'}
              </Button>
            )}
            <Button look="primary" onClick={onClose}>
              Close
            </Button>
          </div>
        </div>
      ) : error ? (
        <ErrorState title="The delivery cannot be loaded" error={error} onRetry={reload} />
      ) : data ? (
        <EmptyState icon={SearchX} title="The delivery is kept no longer" />
      ) : (
        <Skeleton className="h-64" />
      )}
    </Dialog>
  );
}
