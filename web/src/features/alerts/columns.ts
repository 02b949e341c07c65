// The columns of the queue.
import clsx from 'clsx';
import type { Column } from '../../ui/VirtualGrid';

export const wide = '@max-[76rem]:hidden';
export const mid = '@max-[56rem]:hidden';

interface AlertColumn extends Column {
  /** Its width where columns were chosen. */
  width: string;
  /** Shown only when it is chosen. */
  extra?: boolean;
}

const all: readonly AlertColumn[] = [
  { id: 'select', title: 'Select', quiet: true, width: '1rem' },
  { id: 'severity', title: 'Severity', width: '5rem' },
  { id: 'status', title: 'Status', width: '7.25rem' },
  { id: 'title', title: 'Alert', width: 'minmax(12rem,2.4fr)' },
  { id: 'lastSeen', title: 'Last seen', width: '4.25rem' },
  { id: 'count', title: 'Count', className: clsx('text-right', mid), width: '2.75rem' },
  { id: 'host', title: 'Host', width: 'minmax(6rem,1fr)' },
  { id: 'user', title: 'User', className: mid, width: 'minmax(5rem,0.8fr)' },
  { id: 'flow', title: 'Source → destination', className: wide, width: 'minmax(7.5rem,1.1fr)' },
  { id: 'process', title: 'Process', width: 'minmax(7rem,1fr)', extra: true },
  { id: 'techniques', title: 'Techniques', className: wide, width: '6rem' },
  { id: 'assignee', title: 'Assignee', className: mid, width: 'minmax(4.5rem,0.7fr)' },
  { id: 'incident', title: 'Incident', width: 'minmax(6rem,0.8fr)', extra: true },
  { id: 'tags', title: 'Tags', width: 'minmax(5rem,0.7fr)', extra: true },
  { id: 'age', title: 'Age', className: clsx('text-right', wide), width: '2.25rem' },
];

/** Those that can be chosen; the box to select with always stands. */
export const choosable = all.filter((column) => column.id !== 'select');
export const columnIds = choosable.map((column) => column.id);
export const usualIds = choosable.filter((column) => !column.extra).map((column) => column.id);

const usualTemplate = clsx(
  'grid-cols-[1rem_5rem_7.25rem_minmax(15rem,2.4fr)_4.25rem_2.75rem_minmax(6.5rem,1fr)_minmax(5rem,0.8fr)_minmax(7.5rem,1.1fr)_6rem_minmax(4.5rem,0.7fr)_2.25rem]',
  '@max-[76rem]:grid-cols-[1rem_5rem_7.25rem_minmax(10rem,2fr)_4.25rem_2.75rem_minmax(6rem,1fr)_minmax(5rem,0.8fr)_6.5rem]',
  '@max-[56rem]:grid-cols-[1rem_5rem_7.25rem_minmax(8rem,2fr)_4.25rem_minmax(5rem,1fr)]',
);

export interface ColumnLayout {
  columns: readonly Column[];
  /** A class; narrow lists leave the less telling columns out. */
  template: string;
  /** Widths where columns were chosen: then all of them stand, and the list scrolls sideways. */
  widths?: string;
  shown: ReadonlySet<string>;
  chosen: boolean;
}

/** The layout for the chosen columns, "severity,title"; the usual ones without. */
export function layoutOf(cols: string | undefined): ColumnLayout {
  if (!cols) {
    const columns = all.filter((column) => !column.extra);
    return { columns, template: usualTemplate, shown: new Set(columns.map((c) => c.id)), chosen: false };
  }
  const wanted = new Set(['select', ...cols.split(',')]);
  const columns = all.filter((column) => wanted.has(column.id));
  return {
    columns: columns.map((c) => ({ ...c, className: c.className?.replace(wide, '').replace(mid, '') })),
    template: 'min-w-max',
    widths: columns.map((column) => column.width).join(' '),
    shown: wanted,
    chosen: true,
  };
}
