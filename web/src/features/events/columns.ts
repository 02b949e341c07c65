// The columns of the list of events.
import clsx from 'clsx';
import type { Column } from '../../ui/VirtualGrid';
import { type Width, type Widths, widthsOf } from '../../ui/widths';

export const mid = '@max-[56rem]:hidden';
/** A phone: when, how bad, what. */
export const tiny = '@max-[36rem]:hidden';

/** The width counts where columns were chosen. */
interface EventColumn extends Column, Width {
  /** Shown only when it is chosen. */
  extra?: boolean;
}

const all: readonly EventColumn[] = [
  { id: 'expand', title: 'Expand', quiet: true, least: 1 },
  { id: 'time', title: 'Time', least: 6.75 },
  { id: 'received', title: 'Stored', least: 6.75, extra: true },
  { id: 'severity', title: 'Severity', className: '@max-[36rem]:opacity-0', least: 5 },
  { id: 'class', title: 'Class', className: tiny, least: 5 },
  { id: 'host', title: 'Host', className: tiny, least: 6, grow: 0.8 },
  { id: 'user', title: 'User', className: mid, least: 5, grow: 0.7 },
  { id: 'action', title: 'Action', className: mid, least: 6, grow: 0.9 },
  { id: 'process', title: 'Process', least: 7, grow: 1, extra: true },
  { id: 'command', title: 'Command', least: 14, grow: 3, extra: true },
  { id: 'flow', title: 'Source → destination', least: 9, grow: 1.1, extra: true },
  { id: 'domain', title: 'Domain', least: 7, grow: 1, extra: true },
  { id: 'url', title: 'URL', least: 9, grow: 1.5, extra: true },
  { id: 'file', title: 'File', least: 9, grow: 1.5, extra: true },
  { id: 'source', title: 'Log source', least: 8, grow: 0.8, extra: true },
  { id: 'format', title: 'Format', least: 5, extra: true },
  { id: 'message', title: 'Message', least: 12, grow: 4 },
];

/** Those that can be chosen. */
export const choosable = all.filter((column) => column.id !== 'expand');
export const columnIds = choosable.map((column) => column.id);

const usualTemplate = clsx(
  'grid-cols-[1rem_6.75rem_5rem_5rem_minmax(6rem,0.8fr)_minmax(5rem,0.7fr)_minmax(6rem,0.9fr)_minmax(12rem,4fr)]',
  '@max-[56rem]:grid-cols-[1rem_6.75rem_5rem_5rem_minmax(5rem,1fr)_minmax(8rem,3fr)]',
  '@max-[36rem]:grid-cols-[1rem_6.75rem_1rem_minmax(8rem,1fr)]',
);

export interface EventLayout {
  columns: readonly Column[];
  /** A class; narrow lists leave the less telling columns out. */
  template: string;
  /** Widths where columns were chosen: then all of them stand, and a narrow list scrolls sideways. */
  widths?: Widths;
  shown: ReadonlySet<string>;
  chosen: boolean;
  /** Whether a column needs more of the event than the usual ones do. */
  more: boolean;
}

/** The layout for the chosen columns, "time,host,command"; the usual ones without. */
export function layoutOf(cols: string | undefined): EventLayout {
  if (!cols) {
    const columns = all.filter((column) => !column.extra);
    const shown = new Set(columns.map((column) => column.id));
    return { columns, template: usualTemplate, shown, chosen: false, more: false };
  }
  const wanted = new Set(['expand', ...cols.split(',')]);
  const columns = all.filter((column) => wanted.has(column.id));
  return {
    columns: columns.map(({ className: _, ...column }) => column),
    template: '',
    widths: widthsOf(columns),
    shown: wanted,
    chosen: true,
    more: columns.some((column) => column.extra),
  };
}
