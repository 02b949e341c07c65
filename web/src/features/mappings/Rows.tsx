// Rows of a form that come and go.
import { Plus, X } from 'lucide-react';
import { type InputHTMLAttributes, type ReactNode, useId } from 'react';
import { Button, IconButton } from '../../ui/Button';

interface RowsProps<R extends { key: number }> {
  title: string;
  hint: ReactNode;
  /** What one of them is called: "test". */
  noun: string;
  rows: readonly R[];
  most: number;
  make(): R;
  onChange(rows: readonly R[]): void;
  /** The fields of a row; `n` counts from 1 and belongs into their names. */
  children(row: R, change: (next: Partial<R>) => void, n: number): ReactNode;
}

export function Rows<R extends { key: number }>(props: RowsProps<R>) {
  const { title, hint, noun, rows, most, make, onChange, children } = props;
  const id = useId();
  return (
    <section aria-labelledby={id} className="space-y-2">
      <div>
        <h2 id={id} className="text-sm font-semibold">
          {title}
        </h2>
        <p className="text-xs text-muted">{hint}</p>
      </div>
      {rows.length > 0 && (
        <ul className="space-y-1.5">
          {rows.map((row, i) => (
            <li key={row.key} className="flex flex-wrap items-center gap-1.5">
              {children(
                row,
                (next) => onChange(rows.map((each) => (each.key === row.key ? { ...each, ...next } : each))),
                i + 1,
              )}
              <IconButton
                icon={X}
                label={`Remove ${noun} ${i + 1}`}
                onClick={() => onChange(rows.filter(({ key }) => key !== row.key))}
              />
            </li>
          ))}
        </ul>
      )}
      {rows.length < most && (
        <Button icon={Plus} onClick={() => onChange([...rows, make()])}>
          Add a {noun}
        </Button>
      )}
    </section>
  );
}

const look = 'h-7 rounded-md border border-line-strong bg-surface px-2 text-xs text-ink disabled:opacity-60';

interface InputProps extends InputHTMLAttributes<HTMLInputElement> {
  /** Read out; there is no room for it. */
  label: string;
}

export function RowInput({ label, ...rest }: InputProps) {
  return (
    <input
      aria-label={label}
      maxLength={300}
      spellCheck={false}
      className={`${look} min-w-24 flex-1 font-mono`}
      {...rest}
    />
  );
}

interface RowChoiceProps {
  label: string;
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  onChange(value: string): void;
}

export function RowChoice({ label, value, options, onChange }: RowChoiceProps) {
  return (
    <select aria-label={label} value={value} onChange={(event) => onChange(event.target.value)} className={look}>
      {options.map(([option, text]) => (
        <option key={option} value={option}>
          {text}
        </option>
      ))}
    </select>
  );
}
