import clsx from 'clsx';
import type { ReactNode } from 'react';

export function Kbd({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <kbd
      aria-hidden
      className={clsx('rounded border border-current/25 px-1 font-sans text-[10px] leading-4 font-medium', className)}
    >
      {children}
    </kbd>
  );
}
