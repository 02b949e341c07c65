import clsx from 'clsx';
import { type ReactNode, useId } from 'react';
import { legible } from './legible';

interface CardProps {
  title: string;
  action?: ReactNode;
  className?: string;
  children: ReactNode;
}

/** A titled box of a page that is made of several. */
export function Card({ title, action, className, children }: CardProps) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={clsx('min-w-0 rounded-xl border border-line bg-surface p-4', className)}>
      <div className="mb-3 flex min-h-6 items-center gap-2">
        <h2 id={id} className="text-sm font-semibold">
          {legible(title)}
        </h2>
        <div className="ml-auto flex items-center gap-2 text-xs">{action}</div>
      </div>
      {children}
    </section>
  );
}
