// Views that were kept: opened from here, kept from here. What a view says goes in
// and out in the words of the address.
import { useQuery } from '@apollo/client/react';
import { Bookmark } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import type { QueryNoun } from '../../gql/schema';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { Menu } from '../../ui/Menu';
import { useChange } from '../../ui/useChange';
import { useViewer } from '../user/useViewer';
import { changeable, ManageViews } from './ManageViews';
import { SavedViewCreateDocument, SavedViewsDocument } from './SavedViews.generated';

interface ViewsMenuProps {
  noun: QueryNoun;
  /** What is shown now, as a query line. */
  query: string;
  /** One of the list's orders; null for the usual one. */
  orderBy?: string | null;
  /** The columns that were chosen, "severity,title". */
  cols: string | undefined;
  onOpen(view: OpenedView): void;
}

/** What a view says; undefined and null: nothing of that. */
interface OpenedView {
  q: string | undefined;
  cols: string | undefined;
  orderBy: string | null;
}

export function ViewsMenu({ noun, query, orderBy = null, cols, onOpen }: ViewsMenuProps) {
  const { viewer, mayAdminister } = useViewer();
  const { data, refetch } = useQuery(SavedViewsDocument, { variables: { noun } });
  const [dialog, setDialog] = useState<'keep' | 'manage' | null>(null);
  const views = data?.savedViews.nodes ?? [];
  const mine = changeable(views, viewer?.user?.id, mayAdminister);
  const reload = () => void refetch().catch(() => undefined);
  return (
    <>
      <Menu
        label="Saved views"
        align="right"
        trigger={(properties) => (
          <Button icon={Bookmark} {...properties}>
            Views
          </Button>
        )}
        items={[
          ...views.map((view) => ({
            id: view.id,
            label: view.name,
            detail: view.shared && view.owner?.id !== viewer?.user?.id ? view.owner?.displayName : undefined,
            onSelect: () =>
              onOpen({
                q: view.query || undefined,
                cols: view.columns.join(',') || undefined,
                orderBy: view.orderBy ?? null,
              }),
          })),
          { id: 'keep', label: 'Keep this view…', onSelect: () => setDialog('keep') },
          ...(mine.length > 0 ? [{ id: 'manage', label: 'Change views…', onSelect: () => setDialog('manage') }] : []),
        ]}
      />
      {dialog === 'keep' && (
        <KeepView
          noun={noun}
          query={query}
          orderBy={orderBy}
          columns={cols?.split(',') ?? []}
          onClose={() => {
            setDialog(null);
            reload();
          }}
        />
      )}
      {dialog === 'manage' && (
        <ManageViews
          views={mine}
          shown={{ query, orderBy, columns: cols?.split(',') ?? [] }}
          onChanged={reload}
          onClose={() => setDialog(null)}
        />
      )}
    </>
  );
}

interface KeepViewProps extends Pick<ViewsMenuProps, 'noun' | 'query'> {
  orderBy: string | null;
  columns: readonly string[];
  onClose(): void;
}

function KeepView({ noun, query, orderBy, columns, onClose }: KeepViewProps) {
  const change = useChange();
  const { mayWork } = useViewer();
  const [name, setName] = useState('');
  const [shared, setShared] = useState(false);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const input = { noun, name: name.trim(), query, orderBy, columns: [...columns], shared };
    if (await change(SavedViewCreateDocument, { input })) onClose();
  };
  return (
    <Dialog title="Keep this view" onClose={onClose}>
      <form onSubmit={send} className="space-y-4">
        <TextField label="Name" required maxLength={100} value={name} onChange={(e) => setName(e.target.value)} />
        <p className="text-xs text-muted">
          It shows <code className="font-mono break-all text-ink">{legible(query || 'everything')}</code>
        </p>
        {mayWork && (
          <label className="flex items-center gap-2">
            <input
              type="checkbox"
              checked={shared}
              onChange={(e) => setShared(e.target.checked)}
              className="accent-accent"
            />
            Share it with everybody
          </label>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={!name.trim()}>
            Keep
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
