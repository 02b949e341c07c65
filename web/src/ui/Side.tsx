import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { IconButton } from './Button';

interface SideProps {
  label: string;
  onDismiss(): void;
  children: ReactNode;
}

/** What stands beside a list: over it where there is no room. */
export function Side({ label, onDismiss, children }: SideProps) {
  return (
    <aside
      aria-label={label}
      className="flex min-h-0 w-[min(36rem,100%)] shrink-0 flex-col border-l border-line bg-surface max-xl:absolute max-xl:inset-y-0 max-xl:right-0 max-xl:z-20 max-xl:shadow-pop"
    >
      <div className="flex items-center justify-between px-4 pt-3 pb-1">
        <h2 className="text-xs font-semibold text-muted">{label}</h2>
        <IconButton icon={X} label="Close the panel (Escape)" onClick={onDismiss} />
      </div>
      <section
        aria-label={`About the ${label.toLowerCase()}`}
        tabIndex={0}
        className="flex min-h-0 grow flex-col overflow-y-auto px-4 pb-4"
      >
        {children}
      </section>
    </aside>
  );
}
