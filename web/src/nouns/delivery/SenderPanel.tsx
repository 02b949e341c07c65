// A webhook or a channel, whole: whether it works, what can be done about it, what it
// sent, and who changed it.
import { SearchX } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';
import type { WebhookState } from '../../gql/schema';
import { legible } from '../../ui/legible';
import { Section } from '../../ui/Section';
import { Side } from '../../ui/Side';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States';
import { JournalList } from '../journal/JournalList';
import { Time } from '../time/Time';
import type { DeliveryLogFragment } from './Delivery.generated';
import { DeliveryLog } from './DeliveryLog';
import { SenderBadge } from './looks';
import { Trouble } from './Trouble';

export interface Sender {
  name: string;
  state: WebhookState;
  owner: { displayName: string } | null;
  createdAt: string;
  pauseText: string | null;
  failingSince: string | null;
  lastError: string | null;
  deliveries: { nodes: readonly DeliveryLogFragment[] };
  journal: { nodes: ComponentProps<typeof JournalList>['entries']; pageInfo: { hasNextPage: boolean } };
}

interface SenderPanelProps {
  noun: 'channel' | 'webhook';
  /** Undefined until it is there; null: there is none. */
  sender: Sender | null | undefined;
  error: unknown;
  onRetry(): void;
  onDismiss(): void;
  /** What it is, beside its state. */
  mark?: ReactNode;
  actions: ReactNode;
  /** The delivery that is open. */
  delivery?: string;
  onOpenDelivery(id?: string): void;
  onRedeliver(id: string): Promise<unknown>;
  /** What its settings are called. */
  title: string;
  children: ReactNode;
}

export function SenderPanel({ noun, sender, error, onRetry, onDismiss, mark, actions, ...shown }: SenderPanelProps) {
  return (
    <Side label={noun === 'channel' ? 'Channel' : 'Webhook'} onDismiss={onDismiss}>
      {sender ? (
        <div className="space-y-5">
          <div>
            <h3 className="text-lg font-semibold break-words">{legible(sender.name)}</h3>
            <p className="flex flex-wrap items-center gap-2 text-xs text-muted">
              <SenderBadge state={sender.state} />
              {mark}
              <span>
                of {legible(sender.owner?.displayName ?? 'somebody who is gone')}, made <Time at={sender.createdAt} />
              </span>
            </p>
          </div>
          <Trouble sender={sender} />
          {actions}
          <DeliveryLog
            deliveries={sender.deliveries.nodes}
            open={shown.delivery}
            onOpen={shown.onOpenDelivery}
            onRedeliver={shown.onRedeliver}
          />
          <Section title={shown.title}>{shown.children}</Section>
          <Section title="History">
            <JournalList entries={sender.journal.nodes} more={sender.journal.pageInfo.hasNextPage} />
          </Section>
        </div>
      ) : error ? (
        <ErrorState title={`The ${noun} cannot be loaded`} error={error} onRetry={onRetry} />
      ) : sender === null ? (
        <EmptyState icon={SearchX} title={`There is no such ${noun}, or it is not yours`} />
      ) : (
        <Skeleton className="h-96" />
      )}
    </Side>
  );
}
