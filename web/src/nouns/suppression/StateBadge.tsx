import clsx from 'clsx';
import { CircleCheck, CircleOff, Hourglass, type LucideIcon } from 'lucide-react';
import type { SuppressionState } from '../../gql/schema';

export const stateLook: Record<SuppressionState, { label: string; icon: LucideIcon; className: string }> = {
  ACTIVE: { label: 'Active', icon: CircleCheck, className: 'text-good' },
  DISABLED: { label: 'Off', icon: CircleOff, className: 'text-muted' },
  EXPIRED: { label: 'Expired', icon: Hourglass, className: 'text-warn' },
};

export function StateBadge({ state }: { state: SuppressionState }) {
  const { label, icon: Icon, className } = stateLook[state];
  return (
    <span className={clsx('inline-flex items-center gap-1 text-xs font-medium', className)}>
      <Icon size={14} aria-hidden />
      {label}
    </span>
  );
}
