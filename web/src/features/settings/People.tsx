import { useQuery } from '@apollo/client/react';
import { Plus } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import type { Role } from '../../gql/schema';
import { useViewer } from '../../nouns/user/useViewer';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Dialog } from '../../ui/Dialog';
import { Choice, TextField } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { Menu } from '../../ui/Menu';
import { notify } from '../../ui/notices';
import { Select } from '../../ui/Select';
import { ErrorState, SkeletonRows } from '../../ui/States';
import { Table } from '../../ui/Table';
import { useChange } from '../../ui/useChange';
import { TotpRemoveDocument } from './Account.generated';
import { Logins } from './Logins';
import {
  PeopleDocument,
  type PeopleQuery,
  UserCreateDocument,
  UserSetPasswordDocument,
  UserUpdateDocument,
} from './People.generated';

type Person = PeopleQuery['users']['nodes'][number];
const roles: readonly (readonly [Role, string])[] = [
  ['VIEWER', 'Viewer: reads'],
  ['ANALYST', 'Analyst: works on alerts'],
  ['ADMIN', 'Administrator: everything'],
];

export function People() {
  const { viewer } = useViewer();
  const change = useChange();
  const { data, error, refetch } = useQuery(PeopleDocument);
  const [dialog, setDialog] = useState<'new' | { kind: 'disable' | 'password' | 'logins'; person: Person } | null>(
    null,
  );
  const reload = () => void refetch().catch(() => undefined);
  if (error && !data) return <ErrorState title="The people cannot be loaded" error={error} onRetry={reload} />;
  if (!data) return <SkeletonRows rows={6} />;
  const update = async (person: Person, next: { role?: Role; disabled?: boolean }) => {
    await change(UserUpdateDocument, { input: { id: person.id, expectedVersion: person.version, ...next } });
    reload();
  };
  return (
    <div className="space-y-4">
      <div className="flex items-center">
        <p className="text-muted">A change of role or a disabled account ends the person's logins and feeds at once.</p>
        <Button look="primary" icon={Plus} className="ml-auto" onClick={() => setDialog('new')}>
          New person
        </Button>
      </div>
      <Table
        label="People"
        columns={['Name', 'Login', 'Role', 'Second factor', 'State', '']}
        rows={data.users.nodes.map((person) => ({
          key: person.id,
          cells: [
            <span key="n" className="font-medium">
              {legible(person.displayName)}
            </span>,
            person.name,
            <Select
              key="r"
              label={`Role of ${person.displayName}`}
              value={person.role}
              options={roles.map(([role]) => [role, role.charAt(0) + role.slice(1).toLowerCase()] as const)}
              onChange={(role) => void update(person, { role: role as Role })}
            />,
            person.secondFactor ? 'Yes' : 'No',
            person.disabled ? (
              <span key="d" className="text-warn">
                Disabled
              </span>
            ) : (
              'Active'
            ),
            <Menu
              key="m"
              label={`More for ${person.displayName}`}
              align="right"
              trigger={(properties) => (
                <Button look="ghost" {...properties}>
                  More
                </Button>
              )}
              items={[
                {
                  id: 'password',
                  label: 'Set a password',
                  onSelect: () => setDialog({ kind: 'password', person }),
                },
                { id: 'logins', label: 'Logins…', onSelect: () => setDialog({ kind: 'logins', person }) },
                ...(person.secondFactor
                  ? [
                      {
                        id: 'factor',
                        label: 'Remove the second factor',
                        onSelect: () => void change(TotpRemoveDocument, { input: { user: person.id } }).then(reload),
                      },
                    ]
                  : []),
                person.disabled
                  ? { id: 'enable', label: 'Enable', onSelect: () => void update(person, { disabled: false }) }
                  : { id: 'disable', label: 'Disable', onSelect: () => setDialog({ kind: 'disable', person }) },
              ]}
            />,
          ],
        }))}
      />
      {dialog === 'new' && <NewPerson onClose={() => setDialog(null)} onCreated={reload} />}
      {dialog && dialog !== 'new' && dialog.kind === 'disable' && (
        <Confirm
          title={`Disable ${dialog.person.displayName}?`}
          submit="Disable"
          onCancel={() => setDialog(null)}
          onConfirm={async () => {
            await update(dialog.person, { disabled: true });
            setDialog(null);
          }}
        >
          Their logins, tokens and feeds end at once.
        </Confirm>
      )}
      {dialog && dialog !== 'new' && dialog.kind === 'password' && (
        <SetPassword person={dialog.person} onClose={() => setDialog(null)} />
      )}
      {dialog && dialog !== 'new' && dialog.kind === 'logins' && (
        <Dialog title={`Logins of ${dialog.person.displayName}`} onClose={() => setDialog(null)}>
          <Logins user={dialog.person} own={dialog.person.id === viewer?.user?.id} />
        </Dialog>
      )}
    </div>
  );
}

function NewPerson({ onClose, onCreated }: { onClose(): void; onCreated(): void }) {
  const change = useChange();
  const [name, setName] = useState('');
  const [displayName, setDisplayName] = useState('');
  const [password, setPassword] = useState('');
  const [role, setRole] = useState<Role>('ANALYST');
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const input = { name: name.trim(), displayName: displayName.trim() || null, password, role };
    if (!(await change(UserCreateDocument, { input }))) return;
    onCreated();
    onClose();
  };
  return (
    <Dialog title="New person" onClose={onClose}>
      <form onSubmit={send} className="space-y-4">
        <TextField label="Login" required value={name} onChange={(e) => setName(e.target.value)} />
        <TextField label="Name" value={displayName} onChange={(e) => setDisplayName(e.target.value)} />
        <Choice label="Role" value={role} options={roles} onChange={(value) => setRole(value as Role)} />
        <TextField
          label="First password"
          hint="At least 12 characters; the person changes it under Settings."
          type="password"
          autoComplete="new-password"
          minLength={12}
          required
          value={password}
          onChange={(e) => setPassword(e.target.value)}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary">
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function SetPassword({ person, onClose }: { person: Person; onClose(): void }) {
  const change = useChange();
  const [password, setPassword] = useState('');
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (!(await change(UserSetPasswordDocument, { input: { id: person.id, password } }))) return;
    notify('info', `${person.displayName} has a new password, and is logged out everywhere.`);
    onClose();
  };
  return (
    <Dialog title={`Password of ${person.displayName}`} onClose={onClose}>
      <form onSubmit={send} className="space-y-4">
        <TextField
          label="New password"
          hint="At least 12 characters"
          type="password"
          autoComplete="new-password"
          minLength={12}
          required
          value={password}
          onChange={(e) => setPassword(e.target.value)}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary">
            Set password
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
