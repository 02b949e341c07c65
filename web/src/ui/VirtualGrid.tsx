// A grid of thousands of rows of which only the visible ones exist. One row is
// active: arrow keys, j and k move it, Enter and o open it. The arrows and Enter
// are the grid's while the focus is in it or nowhere; elsewhere they scroll and press.
import { useVirtualizer } from '@tanstack/react-virtual';
import clsx from 'clsx';
import { ArrowDown } from 'lucide-react';
import { type ReactNode, type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useKeys } from './keys';
import type { Widths } from './widths';

export interface Column {
  id: string;
  title: string;
  /** What it means, where its title is too short to say so. */
  tip?: string;
  /** Shown to screen readers alone. */
  quiet?: boolean;
  className?: string;
  /** Stands in place of the title. */
  head?: ReactNode;
  /** Whether the rows can be put in the order of this column. */
  sorts?: boolean;
}

interface VirtualGridProps {
  label: string;
  columns: readonly Column[];
  /** Widths, as CSS grid-template-columns through a class: it may differ by container width. */
  template: string;
  /** Widths as a style, in place of the class. Rows that are measured lay themselves out. */
  widths?: Widths;
  ids: readonly string[];
  /** The column whose order the rows are in. */
  sortedBy?: string;
  onSort?(column: string): void;
  /** How many there are in all, loaded or not; -1 when unknown. */
  total: number;
  rowHeight?: number;
  /** The height in a grid as narrow as a phone, where rows have a second line. */
  narrowRowHeight?: number;
  /** Rows of differing height, measured when drawn. */
  measured?: boolean;
  activeId: string | null;
  /** Rows that are selected beside the active one. */
  selected?: ReadonlySet<string>;
  onActivate(id: string): void;
  /** `byKey`: whoever opened it goes on with the keyboard. */
  onOpen(id: string, byKey?: boolean): void;
  /** Called with the places of the rows that are drawn, when others are. */
  onShown?(first: number, last: number): void;
  /** Called when the last loaded rows come into view. */
  onEnd?(): void;
  /** Called with whether the first row is in view. */
  onTop?(atTop: boolean): void;
  rowClass?(id: string): string | undefined;
  renderRow(id: string): ReactNode;
  scrollRef?: RefObject<HTMLDivElement>;
  footer?: ReactNode;
}

const overscan = 8;

export function VirtualGrid(props: VirtualGridProps) {
  const { ids, activeId, measured = false } = props;
  const own = useRef<HTMLDivElement>(null);
  const scroller = props.scrollRef ?? own;
  const usualHeight = props.rowHeight ?? 32;
  const narrow = useNarrow(scroller, props.narrowRowHeight !== undefined);
  const rowHeight = narrow ? (props.narrowRowHeight ?? usualHeight) : usualHeight;
  const rows = useVirtualizer({
    count: ids.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => ids[index] ?? index,
    overscan,
    paddingStart: headerHeight,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the virtualizer keeps the heights that it has asked for
  useLayoutEffect(() => rows.measure(), [rowHeight]);
  const items = rows.getVirtualItems();

  const firstShown = items[0]?.index ?? 0;
  const lastShown = items.at(-1)?.index ?? 0;
  const onShown = useRef(props.onShown);
  onShown.current = props.onShown;
  // biome-ignore lint/correctness/useExhaustiveDependencies: other rows in the same places are others
  useEffect(() => onShown.current?.(firstShown, lastShown), [firstShown, lastShown, ids]);
  const onEnd = useRef(props.onEnd);
  onEnd.current = props.onEnd;
  useEffect(() => {
    if (ids.length > 0 && lastShown >= ids.length - 20) onEnd.current?.();
  }, [lastShown, ids.length]);

  const move = (step: number) => {
    if (ids.length === 0) return;
    const at = activeId === null ? -1 : ids.indexOf(activeId);
    const to = Math.max(0, Math.min(ids.length - 1, at === -1 ? 0 : at + step));
    const id = ids[to];
    if (!id) return;
    // Where the active row is, there is the focus: screen readers tell the row, and Tab goes on from here.
    if (!scroller.current?.contains(document.activeElement)) scroller.current?.focus({ preventScroll: true });
    props.onActivate(id);
    rows.scrollToIndex(to, { align: 'auto' });
  };
  const open = activeId && ids.includes(activeId) ? () => props.onOpen(activeId, true) : undefined;
  const here = ({ target }: KeyboardEvent) =>
    target === document.body || scroller.current?.contains(target as Node) === true;
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: (event) => here(event) && move(1),
    ArrowUp: (event) => here(event) && move(-1),
    o: open,
    Enter: open && ((event) => here(event) && open()),
  });

  return (
    <div
      ref={scroller}
      role="grid"
      aria-label={props.label}
      aria-rowcount={props.total < 0 ? -1 : props.total + 1}
      tabIndex={0}
      aria-activedescendant={activeId && items.some((i) => ids[i.index] === activeId) ? rowId(activeId) : undefined}
      onScroll={(event) => props.onTop?.(event.currentTarget.scrollTop < rowHeight / 2)}
      className="@container relative min-h-0 grow overflow-auto bg-surface tabular-nums focus-visible:outline-offset-[-2px]"
    >
      <div role="rowgroup" className="sticky top-0 z-10 h-0">
        <div
          role="row"
          aria-rowindex={1}
          className={clsx(
            'grid h-7 items-center gap-3 border-b border-line bg-raised px-3 text-2xs font-medium text-muted',
            props.template,
          )}
          style={{ gridTemplateColumns: props.widths?.template, minWidth: props.widths?.least }}
        >
          {props.columns.map((column) => (
            <div
              key={column.id}
              role="columnheader"
              title={column.tip}
              aria-sort={column.sorts ? (props.sortedBy === column.id ? 'descending' : 'none') : undefined}
              className={clsx('truncate', column.className)}
            >
              {column.head ??
                (column.quiet ? (
                  <span className="sr-only">{column.title}</span>
                ) : column.sorts && props.onSort ? (
                  <button
                    type="button"
                    onClick={() => props.onSort?.(column.id)}
                    className={clsx(
                      'inline-flex max-w-full items-center gap-0.5 hover:text-ink',
                      props.sortedBy === column.id && 'text-ink',
                    )}
                  >
                    <span className="truncate">{column.title}</span>
                    {props.sortedBy === column.id && <ArrowDown size={11} aria-hidden className="shrink-0" />}
                  </button>
                ) : (
                  column.title
                ))}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" className="relative" style={{ height: rows.getTotalSize() }}>
        {items.map((item) => {
          const id = ids[item.index];
          if (!id) return null;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the grid handles the keys
            <div
              key={item.key}
              id={rowId(id)}
              ref={measured ? rows.measureElement : undefined}
              data-index={item.index}
              role="row"
              aria-rowindex={item.index + 2}
              aria-selected={id === activeId || props.selected?.has(id) === true}
              onClick={(event) => {
                if ((event.target as HTMLElement).closest('button, a, input, [data-detail]')) return;
                if (getSelection()?.toString()) return;
                props.onActivate(id);
                props.onOpen(id);
              }}
              style={{
                transform: `translateY(${item.start}px)`,
                height: measured ? undefined : item.size,
                gridTemplateColumns: measured ? undefined : props.widths?.template,
                minWidth: props.widths?.least,
              }}
              className={clsx(
                'absolute top-0 left-0 w-full border-b border-line',
                !measured && 'contain-strict',
                props.selected?.has(id) && id !== activeId && 'bg-accent-soft',
                id === activeId ? 'bg-selected' : 'hover:bg-hover',
                !measured && clsx('grid cursor-pointer items-center gap-3 px-3', props.template),
                props.rowClass?.(id),
              )}
            >
              {props.renderRow(id)}
            </div>
          );
        })}
      </div>
      {props.footer}
    </div>
  );
}

const headerHeight = 28;

/** 36rem, below which the columns of a phone stand. */
const narrowBelow = 36;

/** Whether the grid is as narrow as a phone. */
function useNarrow(grid: RefObject<HTMLDivElement>, asked: boolean): boolean {
  const [narrow, setNarrow] = useState(false);
  useLayoutEffect(() => {
    const shown = grid.current;
    if (!asked || !shown) return;
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
    const look = () => setNarrow(shown.clientWidth > 0 && shown.clientWidth <= narrowBelow * rem);
    look();
    const observer = new ResizeObserver(look);
    observer.observe(shown);
    return () => observer.disconnect();
  }, [grid, asked]);
  return narrow;
}

function rowId(id: string): string {
  return `row-${id}`;
}
