// Rules by which alerts become incidents by themselves.
import { useQuery } from '@apollo/client/react';
import { Plus, Siren } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import type { IncidentGroupingField } from '../../gql/schema';
import { DurationField } from '../../nouns/time/DurationField';
import { formatDuration } from '../../nouns/time/duration';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Dialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/States';
import { Switch } from '../../ui/Switch';
import { Table } from '../../ui/Table';
import { useChange } from '../../ui/useChange';
import {
  GroupingCreateDocument,
  GroupingDeleteDocument,
  GroupingsDocument,
  GroupingUpdateDocument,
} from './Server.generated';

const fields: readonly (readonly [IncidentGroupingField, string])[] = [
  ['HOST', 'Host'],
  ['USER', 'User'],
  ['SOURCE_IP', 'Source address'],
  ['DESTINATION_IP', 'Destination address'],
  ['RULE', 'Rule'],
  ['TECHNIQUE', 'Technique'],
];

export function Groupings() {
  const change = useChange();
  const { data, error, refetch } = useQuery(GroupingsDocument);
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<{ id: string; version: number; name: string } | null>(null);
  const reload = () => void refetch().catch(() => undefined);
  if (error && !data) return <ErrorState title="The groupings cannot be loaded" error={error} onRetry={reload} />;
  if (!data) return <SkeletonRows rows={4} />;
  return (
    <div className="space-y-4">
      <div className="flex items-center">
        <p className="text-muted">When enough alerts agree in some fields within a time, an incident is opened.</p>
        <Button look="primary" icon={Plus} className="ml-auto" onClick={() => setCreating(true)}>
          New grouping
        </Button>
      </div>
      {data.incidentGroupings.length === 0 ? (
        <EmptyState icon={Siren} title="There are no groupings">
          People open incidents by hand until there is one.
        </EmptyState>
      ) : (
        <Table
          label="Groupings"
          columns={['Name', 'Agreeing in', 'At least', 'Within', 'Enabled', '']}
          rows={data.incidentGroupings.map((grouping) => ({
            key: grouping.id,
            cells: [
              <span key="n" className="font-medium">
                {legible(grouping.name)}
              </span>,
              grouping.fields.map((f) => fields.find(([id]) => id === f)?.[1] ?? f).join(', '),
              `${grouping.minimumCount} alerts`,
              formatDuration(grouping.window),
              <Switch
                key="s"
                label={`Enable ${grouping.name}`}
                on={grouping.enabled}
                onToggle={async (enabled) => {
                  await change(GroupingUpdateDocument, {
                    input: { id: grouping.id, expectedVersion: grouping.version, enabled },
                  });
                  reload();
                }}
              />,
              <Button key="d" look="danger" onClick={() => setDeleting(grouping)}>
                Delete
              </Button>,
            ],
          }))}
        />
      )}
      {creating && <NewGrouping onClose={() => setCreating(false)} onCreated={reload} />}
      {deleting && (
        <Confirm
          title={`Delete ${deleting.name}?`}
          submit="Delete"
          onCancel={() => setDeleting(null)}
          onConfirm={async () => {
            await change(GroupingDeleteDocument, { input: { id: deleting.id, expectedVersion: deleting.version } });
            setDeleting(null);
            reload();
          }}
        >
          Incidents that it opened stay.
        </Confirm>
      )}
    </div>
  );
}

function NewGrouping({ onClose, onCreated }: { onClose(): void; onCreated(): void }) {
  const change = useChange();
  const [name, setName] = useState('');
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState<readonly IncidentGroupingField[]>(['HOST']);
  const [window, setWindow] = useState('PT1H');
  const [count, setCount] = useState('3');
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const done = await change(GroupingCreateDocument, {
      input: {
        name: name.trim(),
        fields: [...chosen],
        window,
        minimumCount: Number(count),
        enabled: true,
        ...(query.trim() && { filter: { query: query.trim() } }),
      },
    });
    if (!done) return;
    onCreated();
    onClose();
  };
  return (
    <Dialog title="New grouping" onClose={onClose}>
      <form onSubmit={send} className="space-y-4">
        <TextField label="Name" required value={name} onChange={(e) => setName(e.target.value)} />
        <fieldset>
          <legend className="mb-1 text-xs font-medium">Alerts that agree in</legend>
          <div className="grid grid-cols-2">
            {fields.map(([id, label]) => (
              <label key={id} className="flex items-center gap-2 py-0.5">
                <input
                  type="checkbox"
                  checked={chosen.includes(id)}
                  onChange={(e) => setChosen(e.target.checked ? [...chosen, id] : chosen.filter((f) => f !== id))}
                  className="accent-accent"
                />
                {label}
              </label>
            ))}
          </div>
        </fieldset>
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField
            label="At least so many"
            type="number"
            min={1}
            required
            value={count}
            onChange={(e) => setCount(e.target.value)}
          />
          <DurationField label="Within" required value={window} onChange={setWindow} />
        </div>
        <TextField
          label="Only alerts that match"
          hint="A query line, for example severity:>=high; empty: all"
          value={query}
          onChange={(e) => setQuery(e.target.value)}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={!name.trim() || chosen.length === 0}>
            Create grouping
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
