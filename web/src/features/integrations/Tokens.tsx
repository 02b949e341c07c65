import { useQuery } from '@apollo/client/react';
import { KeyRound, Plus } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import type { TokenScope } from '../../gql/schema';
import { firstEvent } from '../../nouns/event/FirstSteps';
import { Time } from '../../nouns/time/Time';
import { formatDate } from '../../nouns/time/time';
import { useViewer } from '../../nouns/user/useViewer';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { Command } from '../../ui/Command';
import { Confirm } from '../../ui/Confirm';
import { Dialog } from '../../ui/Dialog';
import { Choice, TextField } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/States';
import { Table } from '../../ui/Table';
import { useChange } from '../../ui/useChange';
import { TokenCreateDocument, TokenRevokeDocument, TokensDocument } from './Integrations.generated';

const scopes: readonly (readonly [TokenScope, string, string])[] = [
  ['INGEST', 'Ingest', 'Send events. For shippers.'],
  ['READ', 'Read', 'Queries and feeds.'],
  ['WRITE', 'Write', 'Change alerts and incidents.'],
  ['ADMIN', 'Administer', 'Everything an administrator may.'],
];

export function Tokens() {
  const change = useChange();
  const { data, error, refetch } = useQuery(TokensDocument, { variables: { first: 200 } });
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<{ id: string; name: string } | null>(null);
  const reload = () => void refetch().catch(() => undefined);
  if (error && !data) return <ErrorState title="The tokens cannot be loaded" error={error} onRetry={reload} />;
  if (!data) return <SkeletonRows rows={4} />;
  return (
    <div className="space-y-4">
      <div className="flex items-center gap-3">
        <p className="text-muted">Programs prove themselves with a token: shippers that send, and readers of feeds.</p>
        <Button look="primary" icon={Plus} className="ml-auto" onClick={() => setCreating(true)}>
          New token
        </Button>
      </div>
      {data.tokens.nodes.length === 0 ? (
        <EmptyState icon={KeyRound} title="There are no tokens">
          Make one for a shipper, with the scope Ingest.
        </EmptyState>
      ) : (
        <Table
          label="API tokens"
          columns={['Name', 'Scopes', 'Owner', 'Created', 'Expires', 'Last used', '']}
          rows={data.tokens.nodes.map((token) => ({
            key: token.id,
            cells: [
              <span key="n" className="font-medium">
                {legible(token.name)}
              </span>,
              token.scopes.map((scope) => scope.toLowerCase()).join(', '),
              token.owner?.displayName ?? 'System',
              <Time key="c" at={token.createdAt} />,
              token.expiresAt ? formatDate(token.expiresAt) : 'Never',
              token.lastUsedAt ? <Time key="l" at={token.lastUsedAt} /> : 'Never',
              <Button key="r" look="danger" onClick={() => setRevoking(token)}>
                Revoke
              </Button>,
            ],
          }))}
        />
      )}
      {creating && <NewToken onClose={() => setCreating(false)} onCreated={reload} />}
      {revoking && (
        <Confirm
          title={`Revoke ${revoking.name}?`}
          submit="Revoke token"
          onCancel={() => setRevoking(null)}
          onConfirm={async () => {
            await change(TokenRevokeDocument, { input: { id: revoking.id } });
            setRevoking(null);
            reload();
          }}
        >
          Whatever uses it is refused from now on, and its open feeds end. This cannot be undone.
        </Confirm>
      )}
    </div>
  );
}

function NewToken({ onClose, onCreated }: { onClose(): void; onCreated(): void }) {
  const change = useChange();
  const { mayWork, mayAdminister } = useViewer();
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<readonly TokenScope[]>(['INGEST']);
  const [days, setDays] = useState('90');
  const [secret, setSecret] = useState<string | null>(null);
  // A token may no more than its maker.
  const allowed = scopes.filter(([scope]) => mayAdminister || scope === 'READ' || (mayWork && scope !== 'ADMIN'));
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const expiresAt = new Date(Date.now() + Number(days) * 86_400_000).toISOString();
    const done = await change(TokenCreateDocument, { input: { name: name.trim(), scopes: [...chosen], expiresAt } });
    if (!done) return;
    setSecret(done.secret);
    onCreated();
  };
  if (secret) {
    return (
      <Dialog title={`Token ${name}`} onClose={onClose}>
        <div className="space-y-3">
          <Banner tone="warn">Copy it now: it is shown this once and kept nowhere.</Banner>
          <Command text={secret} />
          {chosen.includes('INGEST') && (
            <>
              <p>Try it with an event that fires a rule:</p>
              <Command text={firstEvent(secret)} />
            </>
          )}
          <div className="flex justify-end">
            <Button look="primary" onClick={onClose}>
              Done
            </Button>
          </div>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title="New token" onClose={onClose}>
      <form onSubmit={send} className="space-y-4">
        <TextField label="Name" required maxLength={100} value={name} onChange={(e) => setName(e.target.value)} />
        <fieldset>
          <legend className="mb-1 text-xs font-medium">It may</legend>
          {allowed.map(([scope, label, meaning]) => (
            <label key={scope} className="flex items-baseline gap-2 py-0.5">
              <input
                type="checkbox"
                checked={chosen.includes(scope)}
                onChange={(event) =>
                  setChosen(event.target.checked ? [...chosen, scope] : chosen.filter((s) => s !== scope))
                }
                className="accent-accent"
              />
              {label} <span className="text-xs text-muted">{meaning}</span>
            </label>
          ))}
        </fieldset>
        <Choice
          label="It expires in"
          value={days}
          options={[
            ['1', 'A day'],
            ['30', '30 days'],
            ['90', '90 days'],
            ['365', 'A year'],
          ]}
          onChange={setDays}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={!name.trim() || chosen.length === 0}>
            Create token
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
