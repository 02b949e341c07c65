import clsx from 'clsx';
import type { Severity } from '../../gql/schema';
import { severityLook } from './severity';

export function SeverityBadge({ severity }: { severity: Severity }) {
  const { label, icon: Icon, badge } = severityLook[severity];
  return (
    <span className={clsx('inline-flex h-5 items-center gap-1 rounded px-1.5 text-2xs font-semibold', badge)}>
      <Icon size={12} aria-hidden />
      {label}
    </span>
  );
}
