// Lists of values that stand for placeholders in rules.
import { useQuery } from '@apollo/client/react';
import { List, Plus } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Dialog } from '../../ui/Dialog';
import { TextArea, TextField } from '../../ui/Field';
import { notify } from '../../ui/notices';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/States';
import { Table } from '../../ui/Table';
import { useChange } from '../../ui/useChange';
import {
  PlaceholderDeleteDocument,
  PlaceholdersDocument,
  type PlaceholdersQuery,
  PlaceholderUpdateDocument,
} from './Server.generated';

type Placeholder = PlaceholdersQuery['placeholders'][number];
const shown = 3;

export function Placeholders() {
  const change = useChange();
  const { data, error, refetch } = useQuery(PlaceholdersDocument);
  const [editing, setEditing] = useState<Placeholder | 'new' | null>(null);
  const [deleting, setDeleting] = useState<Placeholder | null>(null);
  const reload = () => void refetch().catch(() => undefined);
  if (error && !data) return <ErrorState title="The placeholders cannot be loaded" error={error} onRetry={reload} />;
  if (!data) return <SkeletonRows rows={4} />;
  return (
    <div className="space-y-4">
      <div className="flex flex-wrap items-center gap-2">
        <p className="text-muted">
          A rule that says <code className="font-mono">expand</code> takes its values from here.
        </p>
        <Button look="primary" icon={Plus} className="ml-auto" onClick={() => setEditing('new')}>
          New list
        </Button>
      </div>
      {data.placeholders.length === 0 ? (
        <EmptyState icon={List} title="There are no lists">
          Rules with placeholders, such as %Administrators%, do not run until there is a list of that name.
        </EmptyState>
      ) : (
        <Table
          label="Placeholders"
          columns={['Name', 'Values', '']}
          rows={data.placeholders.map((list) => ({
            key: list.name,
            cells: [
              <code key="n" className="font-mono">
                %{list.name}%
              </code>,
              summary(list.values),
              <span key="b" className="flex justify-end gap-2">
                <Button aria-label={`Edit ${list.name}`} onClick={() => setEditing(list)}>
                  Edit
                </Button>
                <Button look="danger" aria-label={`Delete ${list.name}`} onClick={() => setDeleting(list)}>
                  Delete
                </Button>
              </span>,
            ],
          }))}
        />
      )}
      {editing && (
        <Editor list={editing === 'new' ? null : editing} onClose={() => setEditing(null)} onChanged={reload} />
      )}
      {deleting && (
        <Confirm
          title={`Delete the list ${deleting.name}?`}
          submit="Delete"
          onCancel={() => setDeleting(null)}
          onConfirm={async () => {
            await change(PlaceholderDeleteDocument, {
              input: { name: deleting.name, expectedVersion: deleting.version },
            });
            setDeleting(null);
            reload();
          }}
        >
          Rules that read it do not run any more.
        </Confirm>
      )}
    </div>
  );
}

/** The first values, and how many more there are. */
export function summary(values: readonly string[]): string {
  const more = values.length - shown;
  return values.slice(0, shown).join(', ') + (more > 0 ? ` and ${more.toLocaleString('en')} more` : '');
}

/** One value a line; empty lines and room around values do not count. */
export function valuesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function Editor({ list, onClose, onChanged }: { list: Placeholder | null; onClose(): void; onChanged(): void }) {
  const change = useChange();
  const [name, setName] = useState(list?.name ?? '');
  const [text, setText] = useState(list?.values.join('\n') ?? '');
  const values = valuesOf(text);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const input = { name: name.trim().replace(/^%|%$/g, ''), values, expectedVersion: list?.version ?? 0 };
    const done = await change(PlaceholderUpdateDocument, { input });
    onChanged();
    if (!done) return;
    notify('info', 'Saved. Rules that read it follow within a second.');
    onClose();
  };
  return (
    <Dialog title={list ? `Values of %${list.name}%` : 'New list'} onClose={onClose}>
      <form onSubmit={send} className="space-y-4">
        {!list && (
          <TextField
            label="Name"
            hint="As rules have it between percent signs, for example Administrators or DomainControllers"
            required
            value={name}
            onChange={(e) => setName(e.target.value)}
          />
        )}
        <TextArea
          label="Values"
          hint={`One a line, 1,000 at most, * and ? as in rules; now ${values.length.toLocaleString('en')}`}
          rows={12}
          required
          value={text}
          onChange={(e) => setText(e.target.value)}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={!name.trim() || values.length === 0}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
