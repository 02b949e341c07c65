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
}

export function Table({ label, columns, rows, wide }: TableProps) {
  return (
    <section aria-label={label} tabIndex={0} className="overflow-x-auto rounded-xl border border-line bg-surface">
      <table className="w-full text-sm tabular-nums">
        <thead className="bg-raised text-2xs text-muted">
          <tr>
            {columns.map((title, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a title may be empty
              <th key={i} scope="col" className="px-3 py-1.5 text-left font-medium whitespace-nowrap">
                {title || <span className="sr-only">Actions</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key} className="border-t border-line">
              {row.cells.map((cell, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: cells have no other name
                <td key={i} className={clsx('px-3 py-1.5 align-middle', i === wide && 'w-full min-w-48')}>
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
