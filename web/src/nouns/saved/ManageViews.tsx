// Views that one may change: called something else, shared, set to what is shown
// now, removed.
import { Pencil, Save, Trash2 } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { Button, IconButton } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { useExplainedChange } from '../journal/useExplainedChange';
import { useViewer } from '../user/useViewer';
import { SavedViewDeleteDocument, type SavedViewsQuery, SavedViewUpdateDocument } from './SavedViews.generated';

export type SavedView = SavedViewsQuery['savedViews']['nodes'][number];

/** What a list shows, as a view keeps it. */
export interface Shown {
  query: string;
  orderBy: string | null;
  columns: readonly string[];
}

interface ManageViewsProps {
  views: readonly SavedView[];
  shown: Shown;
  /** Reads the list of views anew. */
  onChanged(): void;
  onClose(): void;
}

export function ManageViews({ views, shown, onChanged, onClose }: ManageViewsProps) {
  return (
    <Dialog title="Saved views" onClose={onClose}>
      <p className="mb-3 text-xs text-muted">
        The list shows <code className="font-mono break-all text-ink">{legible(shown.query) || 'everything'}</code> now.
      </p>
      {views.length === 0 && <p className="text-muted">None is left that you may change.</p>}
      <ul className="divide-y divide-line">
        {views.map((view) => (
          <ViewLine key={view.id} view={view} shown={shown} onChanged={onChanged} />
        ))}
      </ul>
    </Dialog>
  );
}

interface ViewLineProps {
  view: SavedView;
  shown: Shown;
  onChanged(): void;
}

function ViewLine({ view, shown, onChanged }: ViewLineProps) {
  const change = useExplainedChange();
  const { viewer, mayWork } = useViewer();
  const [name, setName] = useState<string | null>(null);
  const [removing, setRemoving] = useState(false);
  const [busy, setBusy] = useState(false);
  const update = async (next: { name?: string; shared?: boolean } | Shown): Promise<boolean> => {
    setBusy(true);
    const input = { id: view.id, expectedVersion: view.version, ...('query' in next ? whole(next) : next) };
    const done = await change(SavedViewUpdateDocument, { input }).finally(() => setBusy(false));
    onChanged();
    return done !== null;
  };
  const rename = async (event: FormEvent) => {
    event.preventDefault();
    const to = name?.trim();
    if (!to || busy) return;
    if (to === view.name || (await update({ name: to }))) setName(null);
  };
  const overwrite = async () => {
    if (await update(shown)) notify('info', `${view.name} shows what is listed now.`);
  };
  const remove = async () => {
    setBusy(true);
    await change(SavedViewDeleteDocument, { input: { id: view.id, expectedVersion: view.version } }).finally(() =>
      setBusy(false),
    );
    setRemoving(false);
    onChanged();
  };
  const called = legible(view.name);
  return (
    <li className="space-y-1 py-2">
      {name === null ? (
        <div className="flex items-center gap-1">
          <span className="min-w-0 truncate font-medium">{called}</span>
          {view.owner && view.owner.id !== viewer?.user?.id && (
            <span className="shrink-0 text-xs text-muted">of {view.owner.displayName}</span>
          )}
          <span className="ml-auto flex shrink-0 items-center gap-1">
            <IconButton icon={Pencil} label={`Rename ${called}`} disabled={busy} onClick={() => setName(view.name)} />
            <IconButton
              icon={Save}
              label={`Set ${called} to what is shown now`}
              disabled={busy || same(view, shown)}
              onClick={() => void overwrite()}
            />
            {removing ? (
              <Button look="danger" disabled={busy} autoFocus onBlur={() => setRemoving(false)} onClick={remove}>
                Remove it
              </Button>
            ) : (
              <IconButton icon={Trash2} label={`Remove ${called}`} disabled={busy} onClick={() => setRemoving(true)} />
            )}
          </span>
        </div>
      ) : (
        <form onSubmit={rename} className="flex items-center gap-2">
          <input
            aria-label={`Name of ${called}`}
            // biome-ignore lint/a11y/noAutofocus: it takes the place of the button that was pressed
            autoFocus
            required
            maxLength={100}
            value={name}
            onChange={(event) => setName(event.target.value)}
            onKeyDown={(event) => {
              if (event.key !== 'Escape') return;
              // The dialog stays open: this is about the name.
              event.preventDefault();
              event.stopPropagation();
              setName(null);
            }}
            className="h-7 min-w-0 grow rounded-md border border-line-strong bg-surface px-2 text-sm"
          />
          <Button type="submit" look="primary" disabled={busy || !name.trim()}>
            Rename
          </Button>
          <Button onClick={() => setName(null)}>Cancel</Button>
        </form>
      )}
      <div className="flex items-center gap-3">
        <code className="min-w-0 grow truncate font-mono text-xs text-muted">
          {legible(view.query) || 'everything'}
        </code>
        {(mayWork || view.shared) && (
          <label className="flex shrink-0 items-center gap-1.5 text-xs">
            <input
              type="checkbox"
              aria-label={`Share ${called} with everybody`}
              checked={view.shared}
              disabled={busy}
              onChange={(event) => void update({ shared: event.target.checked })}
              className="accent-accent"
            />
            Shared
          </label>
        )}
      </div>
    </li>
  );
}

function whole({ query, orderBy, columns }: Shown) {
  return { query, orderBy, columns: [...columns] };
}

function same(view: SavedView, shown: Shown): boolean {
  return (
    view.query === shown.query &&
    (view.orderBy ?? null) === shown.orderBy &&
    view.columns.join() === shown.columns.join()
  );
}

/** Those that somebody may change: their own, and for administrators the shared ones. */
export function changeable(views: readonly SavedView[], me: string | undefined, administers: boolean): SavedView[] {
  return views.filter((view) => (me !== undefined && view.owner?.id === me) || (administers && view.shared));
}
