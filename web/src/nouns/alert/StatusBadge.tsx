import clsx from 'clsx';
import type { AlertDisposition, AlertStatus } from '../../gql/schema';
import { dispositionLook, statusLook } from './alert';

export function StatusBadge({ status, disposition }: { status: AlertStatus; disposition?: AlertDisposition | null }) {
  const { label, icon: Icon, text } = statusLook[status];
  return (
    <span className="inline-flex min-w-0 items-center gap-1.5 text-xs whitespace-nowrap">
      <Icon size={13} aria-hidden className={clsx('shrink-0', text)} />
      <span className="truncate">
        {label}
        {disposition && <span className="text-muted"> · {dispositionLook[disposition].label}</span>}
      </span>
    </span>
  );
}
