// A duration as a number and a unit; empty is none.
import { useId, useState } from 'react';
import { countOf, type DurationUnit, durationUnits, secondsOf, toDuration } from './duration';

interface DurationFieldProps {
  label: string;
  hint?: string;
  /** ISO 8601; "" is none. */
  value: string;
  /** The units to choose from; the API may take only whole days. */
  units?: readonly DurationUnit[];
  required?: boolean;
  disabled?: boolean;
  onChange(value: string): void;
}

const look = 'h-8 rounded-md border border-line-strong bg-surface px-2.5 text-sm text-ink disabled:opacity-60';

export function DurationField({ label, hint, value, units, required, disabled, onChange }: DurationFieldProps) {
  const id = useId();
  const seconds = secondsOf(value);
  const [unit, setUnit] = useState<DurationUnit>(() => (seconds ? countOf(seconds).unit : (units?.[0] ?? 'minutes')));
  const per = durationUnits.find(([name]) => name === unit)?.[1] ?? 1;
  const count = seconds === null ? '' : String(seconds / per);
  return (
    <div>
      <label htmlFor={id} className="mb-1 block text-xs font-medium">
        {label}
      </label>
      <div className="flex gap-2">
        <input
          id={id}
          type="number"
          min={0}
          required={required}
          disabled={disabled}
          value={count}
          aria-describedby={hint ? `${id}-hint` : undefined}
          onChange={(event) => {
            const typed = event.target.value;
            onChange(typed === '' ? '' : toDuration(Math.max(0, Math.floor(Number(typed))), unit));
          }}
          className={`${look} min-w-0 grow tabular-nums`}
        />
        <select
          aria-label={`Unit of ${label.toLowerCase()}`}
          value={unit}
          disabled={disabled || units?.length === 1}
          onChange={(event) => {
            const next = event.target.value as DurationUnit;
            setUnit(next);
            if (count !== '') onChange(toDuration(Math.floor(Number(count)), next));
          }}
          className={look}
        >
          {durationUnits
            .filter(([name]) => !units || units.includes(name) || name === unit)
            .map(([name]) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
        </select>
      </div>
      {hint && (
        <p id={`${id}-hint`} className="mt-1 text-xs text-muted">
          {hint}
        </p>
      )}
    </div>
  );
}
