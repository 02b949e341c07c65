// A plain table for lists that are short.
import clsx from 'clsx';
import type { ReactNode } from 'react';

interface TableProps {
  label: string;
  /** An empty title is for what can be done with a row. */
  columns: readonly string[];
  rows: readonly { key: string; cells: readonly ReactNode[] }[];
  /** The column that takes the room that the others leave. */
  wide?: number;
  /** Without a border of its own: in a card. */
  bare?: boolean;
}

export function Table({ label, columns, rows, wide, bare }: TableProps) {
  return (
    <section
      aria-label={label}
      tabIndex={0}
      className={clsx(
        'relative overflow-x-auto',
        bare ? '-mx-4 -mb-4 rounded-b-xl' : 'rounded-xl border border-line bg-surface',
      )}
    >
      <table className="w-full text-sm tabular-nums">
        <thead className={clsx('text-2xs text-muted', bare ? 'border-b border-line' : 'bg-raised')}>
          <tr>
            {columns.map((title, i) => (
              <th
                // biome-ignore lint/suspicious/noArrayIndexKey: a title may be empty
                key={i}
                scope="col"
                className={clsx('px-3 py-1.5 text-left font-medium whitespace-nowrap', bare && 'first:pl-4 last:pr-4')}
              >
                {title || <span className="sr-only">Actions</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key} className={clsx('border-t border-line', bare && 'first:border-t-0')}>
              {row.cells.map((cell, i) => (
                <td
                  // biome-ignore lint/suspicious/noArrayIndexKey: cells have no other name
                  key={i}
                  className={clsx(
                    'px-3 py-1.5 align-middle',
                    bare && 'first:pl-4 last:pr-4',
                    i === wide && 'w-full min-w-48',
                  )}
                >
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
