// Labelled fields of forms.
import { type InputHTMLAttributes, type ReactNode, type TextareaHTMLAttributes, useId } from 'react';
import { legible } from './legible';

const look = 'w-full rounded-md border border-line-strong bg-surface px-2.5 text-sm text-ink disabled:opacity-60';

interface FieldProps {
  label: string;
  hint?: ReactNode;
}

export function TextField({ label, hint, ...rest }: FieldProps & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <div>
      <Label id={id} text={label} />
      <input id={id} aria-describedby={hint ? `${id}-hint` : undefined} className={`${look} h-8`} {...rest} />
      <Hint id={id}>{hint}</Hint>
    </div>
  );
}

export function TextArea({ label, hint, ...rest }: FieldProps & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const id = useId();
  return (
    <div>
      <Label id={id} text={label} />
      <textarea
        id={id}
        rows={3}
        aria-describedby={hint ? `${id}-hint` : undefined}
        className={`${look} py-1.5`}
        {...rest}
      />
      <Hint id={id}>{hint}</Hint>
    </div>
  );
}

interface ChoiceProps extends FieldProps {
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  disabled?: boolean;
  onChange(value: string): void;
}

export function Choice({ label, hint, value, options, disabled, onChange }: ChoiceProps) {
  const id = useId();
  return (
    <div>
      <Label id={id} text={label} />
      <select
        id={id}
        value={value}
        disabled={disabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onChange(event.target.value)}
        className={`${look} h-8`}
      >
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {legible(text)}
          </option>
        ))}
      </select>
      <Hint id={id}>{hint}</Hint>
    </div>
  );
}

function Label({ id, text }: { id: string; text: string }) {
  return (
    <label htmlFor={id} className="mb-1 block text-xs font-medium">
      {text}
    </label>
  );
}

function Hint({ id, children }: { id: string; children: ReactNode }) {
  return children ? (
    <p id={`${id}-hint`} className="mt-1 text-xs text-muted">
      {children}
    </p>
  ) : null;
}
