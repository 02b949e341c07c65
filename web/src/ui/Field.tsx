// Labelled fields of forms.
import { type InputHTMLAttributes, type ReactNode, type TextareaHTMLAttributes, useId } from 'react';
import { legible } from './legible';

const look =
  'w-full rounded-md border border-line-strong bg-surface px-2.5 text-sm text-ink aria-invalid:border-critical disabled:opacity-60';

interface FieldProps {
  label: string;
  hint?: ReactNode;
  /** What is wrong with its value. */
  problem?: string;
}

export function TextField({ label, hint, problem, ...rest }: FieldProps & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <div>
      <Label id={id} text={label} />
      <input id={id} {...described(id, hint, problem)} className={`${look} h-8`} {...rest} />
      <Hint id={id} hint={hint} problem={problem} />
    </div>
  );
}

export function TextArea({ label, hint, problem, ...rest }: FieldProps & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const id = useId();
  return (
    <div>
      <Label id={id} text={label} />
      <textarea id={id} rows={3} {...described(id, hint, problem)} className={`${look} py-1.5`} {...rest} />
      <Hint id={id} hint={hint} problem={problem} />
    </div>
  );
}

interface ChoiceProps extends FieldProps {
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  disabled?: boolean;
  onChange(value: string): void;
}

export function Choice({ label, hint, problem, value, options, disabled, onChange }: ChoiceProps) {
  const id = useId();
  return (
    <div>
      <Label id={id} text={label} />
      <select
        id={id}
        value={value}
        disabled={disabled}
        {...described(id, hint, problem)}
        onChange={(event) => onChange(event.target.value)}
        className={`${look} h-8`}
      >
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {legible(text)}
          </option>
        ))}
      </select>
      <Hint id={id} hint={hint} problem={problem} />
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

function described(id: string, hint: ReactNode, problem: string | undefined) {
  const ids = [problem && `${id}-problem`, hint && `${id}-hint`].filter(Boolean).join(' ');
  return { 'aria-describedby': ids || undefined, 'aria-invalid': problem ? true : undefined };
}

function Hint({ id, hint, problem }: { id: string; hint: ReactNode; problem?: string }) {
  return (
    <>
      {problem && (
        <p id={`${id}-problem`} className="mt-1 text-xs break-words text-critical">
          {legible(problem)}
        </p>
      )}
      {hint && (
        <p id={`${id}-hint`} className="mt-1 text-xs text-muted">
          {hint}
        </p>
      )}
    </>
  );
}
