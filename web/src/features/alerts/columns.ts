// The columns of the queue.
import clsx from 'clsx';
import type { Column } from '../../ui/VirtualGrid';
import { type Width, type Widths, widthsOf } from '../../ui/widths';
import { type AlertSort, orders } from './order';

export const wide = '@max-[76rem]:hidden';
export const mid = '@max-[56rem]:hidden';
/** A phone: how bad, what, when. */
export const tiny = '@max-[36rem]:hidden';
/** There host and user stand below what the alert is called. */
export const tinyOnly = '@min-[36rem]:hidden';
/** A head that is wider there than what stands below it. */
const bare = '@max-[36rem]:opacity-0';

/** The width counts where columns were chosen. */
interface AlertColumn extends Column, Width {
  /** Shown only when it is chosen. */
  extra?: boolean;
}

const all: readonly AlertColumn[] = [
  { id: 'select', title: 'Select', quiet: true, least: 1 },
  { id: 'severity', title: 'Severity', className: bare, least: 5, sorts: true },
  { id: 'status', title: 'Status', className: tiny, least: 7.25 },
  { id: 'title', title: 'Alert', least: 12, grow: 2.4 },
  { id: 'lastSeen', title: 'Last seen', least: 4.75, sorts: true },
  { id: 'count', title: 'Count', className: clsx('text-right', mid), least: 2.75 },
  { id: 'host', title: 'Host', className: tiny, least: 6, grow: 1 },
  { id: 'user', title: 'User', className: mid, least: 5, grow: 0.8 },
  { id: 'flow', title: 'Source → destination', className: wide, least: 7.5, grow: 1.1 },
  { id: 'process', title: 'Process', least: 7, grow: 1, extra: true },
  { id: 'techniques', title: 'Techniques', className: wide, least: 6 },
  { id: 'risk', title: 'Risk', className: 'text-right', least: 2.5, extra: true },
  { id: 'assignee', title: 'Assignee', className: mid, least: 4.5, grow: 0.7 },
  { id: 'incident', title: 'Incident', least: 6, grow: 0.8, extra: true },
  { id: 'tags', title: 'Tags', least: 5, grow: 0.7, extra: true },
  { id: 'age', title: 'Age', className: clsx('text-right', wide), least: 2.75, sorts: true },
];

/** Those that can be chosen; the box to select with stands for all who can change alerts. */
export const choosable = all.filter((column) => column.id !== 'select');
export const columnIds = choosable.map((column) => column.id);

const usualTemplate = clsx(
  'grid-cols-[1rem_5rem_7.25rem_minmax(15rem,2.4fr)_4.75rem_2.75rem_minmax(6.5rem,1fr)_minmax(5rem,0.8fr)_minmax(7.5rem,1.1fr)_6rem_minmax(4.5rem,0.7fr)_2.75rem]',
  '@max-[76rem]:grid-cols-[1rem_5rem_7.25rem_minmax(10rem,2fr)_4.75rem_2.75rem_minmax(6rem,1fr)_minmax(5rem,0.8fr)_6.5rem]',
  '@max-[56rem]:grid-cols-[1rem_5rem_7.25rem_minmax(8rem,2fr)_4.75rem_minmax(5rem,1fr)]',
  '@max-[36rem]:grid-cols-[1rem_1.75rem_minmax(8rem,1fr)_4.75rem]',
);

/** For those who can change nothing there is nothing to select. */
const templateWithoutSelect = clsx(
  'grid-cols-[5rem_7.25rem_minmax(15rem,2.4fr)_4.75rem_2.75rem_minmax(6.5rem,1fr)_minmax(5rem,0.8fr)_minmax(7.5rem,1.1fr)_6rem_minmax(4.5rem,0.7fr)_2.75rem]',
  '@max-[76rem]:grid-cols-[5rem_7.25rem_minmax(10rem,2fr)_4.75rem_2.75rem_minmax(6rem,1fr)_minmax(5rem,0.8fr)_6.5rem]',
  '@max-[56rem]:grid-cols-[5rem_7.25rem_minmax(8rem,2fr)_4.75rem_minmax(5rem,1fr)]',
  '@max-[36rem]:grid-cols-[1.75rem_minmax(8rem,1fr)_4.75rem]',
);

/** The column that stands for an order. */
export function columnOf(sort: AlertSort | undefined): string {
  return sort === 'created' ? 'age' : (sort ?? 'lastSeen');
}

/** The order that a column stands for. */
export function sortOfColumn(column: string): AlertSort | undefined {
  return column === 'age' ? 'created' : orders.find((sort) => sort === column);
}

export interface ColumnLayout {
  columns: readonly Column[];
  /** A class; narrow lists leave the less telling columns out. */
  template: string;
  /** Widths where columns were chosen: then all of them stand, and a narrow list scrolls sideways. */
  widths?: Widths;
  shown: ReadonlySet<string>;
  chosen: boolean;
}

/** The layout for the chosen columns, "severity,title"; the usual ones without. `selects`: rows can be selected. */
export function layoutOf(cols: string | undefined, selects: boolean): ColumnLayout {
  if (!cols) {
    const columns = all.filter((column) => !column.extra && (selects || column.id !== 'select'));
    const template = selects ? usualTemplate : templateWithoutSelect;
    return { columns, template, shown: new Set(columns.map((c) => c.id)), chosen: false };
  }
  const wanted = new Set([...(selects ? ['select'] : []), ...cols.split(',').filter((id) => id !== 'select')]);
  const columns = all.filter((column) => wanted.has(column.id));
  return {
    columns: columns.map((c) => ({
      ...c,
      className: c.className?.replace(wide, '').replace(mid, '').replace(tiny, '').replace(bare, ''),
    })),
    template: '',
    widths: widthsOf(columns),
    shown: wanted,
    chosen: true,
  };
}
