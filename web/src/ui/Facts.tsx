// Names and values in two columns; rows without a value are left out.

import type { ReactNode } from 'react';
import { legible } from './legible';

export function Facts({ rows }: { rows: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[8.5rem_minmax(0,1fr)] gap-x-3 gap-y-1.5 text-sm">
      {rows.map(
        ([name, value]) =>
          value && (
            <div key={name} className="group contents">
              <dt className="text-xs leading-5 text-faint">{name}</dt>
              <dd className="min-w-0 break-words">{typeof value === 'string' ? legible(value) : value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
