// The commonest values of one field beside a list: choosing one narrows the list
// to it, the minus leaves it out.

import { Minus } from 'lucide-react';
import type { ReactNode } from 'react';
import { BarList } from './BarList';
import { IconButton } from './Button';
import { legible } from './legible';
import { Select } from './Select';
import { Skeleton } from './States';

interface ValuePanelProps<Field extends string> {
  field: Field;
  fields: readonly (readonly [field: Field, label: string])[];
  /** Undefined while they are loading. */
  values: readonly { value: string; count: number; label?: ReactNode }[] | undefined;
  /** What there is when no value is: "No event has one." */
  empty: string;
  note?: ReactNode;
  /** Beside the choice of the field. */
  also?: ReactNode;
  onField(field: Field): void;
  onValue(value: string, not: boolean): void;
}

export function ValuePanel<Field extends string>(props: ValuePanelProps<Field>) {
  const { field, fields, values, empty, note, also, onField, onValue } = props;
  return (
    <aside
      aria-label="Values"
      className="flex w-60 shrink-0 flex-col gap-2 overflow-y-auto border-r border-line bg-surface p-3 max-lg:hidden"
    >
      <div className="flex flex-wrap gap-1">
        <Select label="Group by" value={field} options={fields} onChange={(value) => onField(value as Field)} />
        {also}
      </div>
      {values ? (
        <>
          <div className="flex gap-1">
            <div className="min-w-0 grow">
              <BarList
                rows={values.map(({ value, count, label }) => ({ key: value, label: label ?? value, count }))}
                does="Show only"
                onChoose={(value) => onValue(value, false)}
                empty={empty}
              />
            </div>
            <ul aria-label="Leave out" className="space-y-0.5">
              {values.map(({ value }) => (
                <li key={value} className="flex h-7 items-center">
                  <IconButton
                    icon={Minus}
                    label={`Leave out ${legible(value)}`}
                    className="size-6"
                    onClick={() => onValue(value, true)}
                  />
                </li>
              ))}
            </ul>
          </div>
          {note && <p className="text-2xs text-muted">{note}</p>}
        </>
      ) : (
        <Skeleton className="h-64" />
      )}
    </aside>
  );
}
