import { CircleCheck, CircleX, Clock } from 'lucide-react';
import type { DeadLetterState } from '../../gql/schema';
import { Mark, type MarkLook } from '../../ui/Mark';

const looks: Record<DeadLetterState, MarkLook> = {
  WAITING: { label: 'Waits', icon: Clock, className: 'text-muted' },
  REPLAYED: { label: 'Stored', icon: CircleCheck, className: 'text-good' },
  FAILED: { label: 'Refused again', icon: CircleX, className: 'text-warn' },
};

export function LetterBadge({ state }: { state: DeadLetterState }) {
  return <Mark look={looks[state]} />;
}
