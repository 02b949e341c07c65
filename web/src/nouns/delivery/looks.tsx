// How the states of what is sent elsewhere look.
import { CircleCheck, CircleOff, CirclePause, CircleX, Clock, TriangleAlert } from 'lucide-react';
import type { DeliveryState, WebhookState } from '../../gql/schema';
import { Mark, type MarkLook } from '../../ui/Mark';

const senderLook: Record<WebhookState, MarkLook> = {
  ACTIVE: { label: 'Active', icon: CircleCheck, className: 'text-good' },
  FAILING: { label: 'Failing', icon: TriangleAlert, className: 'text-warn' },
  PAUSED: { label: 'Paused', icon: CirclePause, className: 'text-warn' },
  DISABLED: { label: 'Off', icon: CircleOff, className: 'text-muted' },
};

const deliveryLook: Record<DeliveryState, MarkLook> = {
  PENDING: { label: 'Waits', icon: Clock, className: 'text-muted' },
  DELIVERED: { label: 'Arrived', icon: CircleCheck, className: 'text-good' },
  FAILED: { label: 'Failed', icon: CircleX, className: 'text-warn' },
  CANCELLED: { label: 'Cancelled', icon: CircleOff, className: 'text-muted' },
};

export function SenderBadge({ state }: { state: WebhookState }) {
  return <Mark look={senderLook[state]} />;
}

export function DeliveryBadge({ state, attempts }: { state: DeliveryState; attempts: number }) {
  const look = deliveryLook[state];
  return <Mark look={state === 'PENDING' && attempts > 0 ? { ...senderLook.FAILING, label: 'Tried' } : look} />;
}
