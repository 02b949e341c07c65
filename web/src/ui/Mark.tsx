// A state in a word, with a shape of its own: colour never stands alone.
import clsx from 'clsx';
import type { LucideIcon } from 'lucide-react';

export interface MarkLook {
  label: string;
  icon: LucideIcon;
  /** The colour, as a class. */
  className: string;
}

export function Mark({ look: { label, icon: Icon, className } }: { look: MarkLook }) {
  return (
    <span className={clsx('inline-flex items-center gap-1 text-xs font-medium whitespace-nowrap', className)}>
      <Icon size={14} aria-hidden className="shrink-0" />
      {label}
    </span>
  );
}
