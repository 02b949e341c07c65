// The page of webhooks or of channels: the list, the one that is open beside it, and
// the way to a new one.
import { type LucideIcon, Plus } from 'lucide-react';
import { type ReactNode, useRef, useState } from 'react';
import type { Pages } from '../../api/usePages';
import { Button } from '../../ui/Button';
import { RecordGrid } from '../../ui/RecordGrid';
import { EmptyState, StaleBanner } from '../../ui/States';
import { useActiveRow } from '../../ui/useActiveRow';
import { useEvery } from '../../ui/useEvery';
import type { Column } from '../../ui/VirtualGrid';
import { useViewer } from '../user/useViewer';

const refreshPeriod = 3_000;

interface SenderListProps<T extends { id: string }> {
  /** "Webhooks". */
  title: string;
  icon: LucideIcon;
  /** What they are for. */
  intro: string;
  /** The button's words. */
  add: string;
  /** What stands there while there is none. */
  none: { title: string; children: ReactNode };
  list: Pages<T>;
  columns: readonly Column[];
  template: string;
  row(record: T): ReactNode;
  /** The one that is open. */
  open?: string;
  onOpen(id?: string, replace?: boolean): void;
  panel: ReactNode;
  dialog(done: { onCancel(): void; onDone(): void }): ReactNode;
}

export function SenderList<T extends { id: string }>({
  title,
  icon,
  list,
  open,
  onOpen,
  ...shown
}: SenderListProps<T>) {
  const { viewer, mayWork } = useViewer();
  const [creating, setCreating] = useState(false);
  const noSearch = useRef<HTMLInputElement>(null); // a short list: there is nothing to search in
  useEvery(refreshPeriod, list.refresh);
  const { active, activate } = useActiveRow(open, onOpen, noSearch);
  if (viewer && !mayWork) return <EmptyState icon={icon} title={`${title} are for analysts and administrators`} />;
  const cancel = () => setCreating(false);
  return (
    <>
      <h1 className="sr-only">{title}</h1>
      <div className="flex flex-wrap items-center gap-2 border-b border-line bg-canvas px-3 py-2">
        <p className="text-muted">{shown.intro}</p>
        <Button look="primary" icon={Plus} className="ml-auto" onClick={() => setCreating(true)}>
          {shown.add}
        </Button>
      </div>
      {list.error != null && list.items && <StaleBanner error={list.error} what="The list" onRetry={list.retry} />}
      <div className="relative flex min-h-0 grow">
        <div className="flex min-w-0 grow flex-col">
          <RecordGrid
            label={title}
            list={list}
            empty={<EmptyState icon={icon} {...shown.none} />}
            columns={shown.columns}
            template={shown.template}
            row={shown.row}
            activeId={active}
            onActivate={activate}
            onOpen={(id) => onOpen(id)}
          />
        </div>
        {shown.panel}
      </div>
      {creating &&
        shown.dialog({
          onCancel: cancel,
          onDone: () => {
            cancel();
            list.refresh();
          },
        })}
    </>
  );
}
