import clsx from 'clsx';

interface SwitchProps {
  on: boolean;
  label: string;
  disabled?: boolean;
  onToggle(next: boolean): void;
}

export function Switch({ on, label, disabled, onToggle }: SwitchProps) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={on}
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={(event) => {
        event.stopPropagation();
        onToggle(!on);
      }}
      className="inline-flex h-6 shrink-0 items-center rounded disabled:opacity-50"
    >
      <span
        className={clsx(
          'relative h-4.5 w-8 rounded-full border transition-colors',
          on ? 'border-accent bg-accent' : 'border-line-strong bg-raised',
        )}
      >
        <span
          className={clsx(
            'absolute top-0.5 size-3 rounded-full transition-[left]',
            on ? 'left-4 bg-accent-ink' : 'left-0.5 bg-faint',
          )}
        />
      </span>
    </button>
  );
}
