import { legible } from './legible';

interface SelectProps {
  label: string;
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  onChange(value: string): void;
}

/** The browser's own list of choices, in our clothes. */
export function Select({ label, value, options, onChange }: SelectProps) {
  return (
    <select
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      className="h-7 rounded-md border border-line bg-surface px-1.5 text-xs text-ink hover:border-line-strong"
    >
      {options.map(([id, text]) => (
        <option key={id} value={id}>
          {legible(text)}
        </option>
      ))}
    </select>
  );
}
