// How the states of what is sent elsewhere look: never by colour alone.
import clsx from 'clsx';
import { CircleCheck, CircleOff, CirclePause, CircleX, Clock, type LucideIcon, TriangleAlert } from 'lucide-react';
import type { DeliveryState, WebhookState } from '../../gql/schema';

interface Look {
  label: string;
  icon: LucideIcon;
  className: string;
}

const senderLook: Record<WebhookState, Look> = {
  ACTIVE: { label: 'Active', icon: CircleCheck, className: 'text-good' },
  FAILING: { label: 'Failing', icon: TriangleAlert, className: 'text-warn' },
  PAUSED: { label: 'Paused', icon: CirclePause, className: 'text-warn' },
  DISABLED: { label: 'Off', icon: CircleOff, className: 'text-muted' },
};

const deliveryLook: Record<DeliveryState, Look> = {
  PENDING: { label: 'Waits', icon: Clock, className: 'text-muted' },
  DELIVERED: { label: 'Arrived', icon: CircleCheck, className: 'text-good' },
  FAILED: { label: 'Failed', icon: CircleX, className: 'text-warn' },
  CANCELLED: { label: 'Cancelled', icon: CircleOff, className: 'text-muted' },
};

export function SenderBadge({ state }: { state: WebhookState }) {
  return <Badge look={senderLook[state]} />;
}

export function DeliveryBadge({ state, attempts }: { state: DeliveryState; attempts: number }) {
  const look = deliveryLook[state];
  return <Badge look={state === 'PENDING' && attempts > 0 ? { ...senderLook.FAILING, label: 'Tried' } : look} />;
}

function Badge({ look: { label, icon: Icon, className } }: { look: Look }) {
  return (
    <span className={clsx('inline-flex items-center gap-1 text-xs font-medium', className)}>
      <Icon size={14} aria-hidden />
      {label}
    </span>
  );
}
