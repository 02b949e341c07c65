// A grid of records that are read page by page, and what stands in its place while
// there are none: not yet, none at all, or a failure.
import { type ReactNode, useMemo } from 'react';
import type { Pages } from '../api/usePages';
import { ErrorState, SkeletonRows } from './States';
import { type Column, VirtualGrid } from './VirtualGrid';

interface RecordGridProps<T extends { id: string }> {
  /** What they are, for example "Assets". */
  label: string;
  list: Pages<T>;
  /** Stands there when the list is empty. */
  empty: ReactNode;
  columns: readonly Column[];
  /** The columns' widths, as classes of the grid. */
  template: string;
  row(record: T): ReactNode;
  activeId: string | null;
  /** Rows that are selected beside the active one. */
  selected?: ReadonlySet<string>;
  onActivate(id: string): void;
  onOpen(id: string): void;
}

export function RecordGrid<T extends { id: string }>({ label, list, empty, row, ...grid }: RecordGridProps<T>) {
  const byId = useMemo(() => new Map(list.items?.map((record) => [record.id, record])), [list.items]);
  const ids = useMemo(() => [...byId.keys()], [byId]);
  if (!list.items) {
    if (!list.error) return <SkeletonRows />;
    return <ErrorState title={`The ${label.toLowerCase()} cannot be loaded`} error={list.error} onRetry={list.retry} />;
  }
  if (ids.length === 0) return empty;
  return (
    <VirtualGrid
      {...grid}
      label={label}
      ids={ids}
      total={list.hasMore ? -1 : ids.length}
      onEnd={list.more}
      renderRow={(id) => {
        const record = byId.get(id);
        return record && row(record);
      }}
    />
  );
}
