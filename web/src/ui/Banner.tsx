import clsx from 'clsx';
import { CircleAlert, type LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

interface BannerProps {
  tone: 'warn' | 'error' | 'info';
  icon?: LucideIcon;
  /** Read out when it appears. */
  live?: boolean;
  className?: string;
  children: ReactNode;
}

const tones = {
  warn: 'bg-warn-soft text-warn',
  error: 'bg-critical-soft text-critical',
  info: 'bg-accent-soft text-ink',
};

export function Banner({ tone, icon: Icon = CircleAlert, live = true, className, children }: BannerProps) {
  return (
    <div
      role={live ? (tone === 'error' ? 'alert' : 'status') : undefined}
      className={clsx('flex items-start gap-2 px-3 py-2 text-xs leading-5', tones[tone], className)}
    >
      <Icon size={15} aria-hidden className="mt-0.5 shrink-0" />
      <div className="min-w-0 grow">{children}</div>
    </div>
  );
}
