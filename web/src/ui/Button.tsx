import clsx from 'clsx';
import type { LucideIcon } from 'lucide-react';
import { type ButtonHTMLAttributes, forwardRef, type ReactNode } from 'react';
import { Kbd } from './Kbd';
import { legible } from './legible';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: 'primary' | 'secondary' | 'ghost' | 'danger';
  icon?: LucideIcon;
  /** The key that does the same, shown on wide screens. */
  hint?: string;
  children?: ReactNode;
}

const looks = {
  primary: 'bg-accent text-accent-ink hover:opacity-90 border-transparent',
  secondary: 'bg-surface text-ink border-line-strong hover:bg-hover',
  ghost: 'bg-transparent text-muted border-transparent hover:bg-raised hover:text-ink',
  danger: 'bg-critical-soft text-critical border-transparent hover:opacity-90',
};

/** The classes of a button, for a link that looks like one. */
export function buttonLook(look: keyof typeof looks): string {
  return clsx(
    'inline-flex h-7 shrink-0 items-center gap-1.5 rounded-md border px-2.5 text-xs font-medium whitespace-nowrap disabled:opacity-50',
    looks[look],
  );
}

export const Button = forwardRef<HTMLButtonElement, ButtonProps>(function Button(
  { look = 'secondary', icon: Icon, hint, children, className, type = 'button', ...rest },
  ref,
) {
  return (
    <button ref={ref} type={type} className={clsx(buttonLook(look), className)} {...rest}>
      {Icon && <Icon size={14} aria-hidden className="shrink-0" />}
      {children}
      {hint && <Kbd className="ml-0.5 max-lg:hidden">{hint}</Kbd>}
    </button>
  );
});

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: LucideIcon;
  /** Said by screen readers and shown on hover. */
  label: string;
}

export const IconButton = forwardRef<HTMLButtonElement, IconButtonProps>(function IconButton(
  { icon: Icon, label, className, ...rest },
  ref,
) {
  return (
    <button
      ref={ref}
      type="button"
      aria-label={legible(label)}
      title={legible(label)}
      className={clsx(
        // Of two sizes the larger would win, whichever is asked for.
        !/\bsize-/.test(className ?? '') && 'size-7',
        'inline-flex shrink-0 items-center justify-center rounded-md text-muted hover:bg-raised hover:text-ink disabled:opacity-50',
        className,
      )}
      {...rest}
    >
      <Icon size={16} aria-hidden />
    </button>
  );
});
