import clsx from 'clsx';
import type { Severity } from '../../gql/schema';
import { severityLook } from './severity';

interface SeverityBadgeProps {
  severity: Severity;
  /** In a list as narrow as a phone the shape stands alone; it differs for each level. */
  compact?: boolean;
}

export function SeverityBadge({ severity, compact = false }: SeverityBadgeProps) {
  const { label, icon: Icon, badge } = severityLook[severity];
  return (
    <span
      title={compact ? label : undefined}
      className={clsx('inline-flex h-5 items-center gap-1 rounded px-1.5 text-2xs font-semibold', badge)}
    >
      <Icon size={12} aria-hidden className="shrink-0" />
      <span className={compact ? '@max-[36rem]:sr-only' : undefined}>{label}</span>
    </span>
  );
}
