// What was sent and waits to be, with the one that is open.
import { Section } from '../../ui/Section';
import { Time } from '../time/Time';
import type { DeliveryLogFragment } from './Delivery.generated';
import { DeliveryDialog } from './DeliveryDialog';
import { DeliveryBadge } from './looks';

interface DeliveryLogProps {
  /** The latest first. */
  deliveries: readonly DeliveryLogFragment[];
  /** The id of the one that is open. */
  open?: string;
  onOpen(id?: string): void;
  /** Sends one again; null where that was refused. */
  onRedeliver(id: string): Promise<unknown>;
}

export function DeliveryLog({ deliveries, open, onOpen, onRedeliver }: DeliveryLogProps) {
  return (
    <Section title="Deliveries">
      {deliveries.length === 0 ? (
        <p className="text-muted">Nothing yet: what changes from now on is sent.</p>
      ) : (
        <ul className="divide-y divide-line">
          {deliveries.map((each) => (
            <li key={each.id}>
              <button
                type="button"
                className="flex min-h-7 w-full items-center gap-2 py-1 text-left text-xs hover:bg-hover"
                onClick={() => onOpen(each.id)}
              >
                <span className="w-12 shrink-0 tabular-nums">#{each.number}</span>
                <span className="w-20 shrink-0">
                  <DeliveryBadge state={each.state} attempts={each.attempts} />
                </span>
                <span className="min-w-0 grow truncate text-muted">
                  {each.test ? 'test, ' : ''}
                  {each.bytes.toLocaleString('en')} bytes
                  {each.attempts > 1 && `, ${each.attempts} tries`}
                </span>
                <span className="shrink-0 text-muted">
                  <Time at={each.doneAt ?? each.createdAt} />
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {open && <DeliveryDialog key={open} id={open} onClose={() => onOpen()} onRedeliver={onRedeliver} />}
    </Section>
  );
}
