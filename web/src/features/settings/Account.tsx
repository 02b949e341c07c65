import { useQuery } from '@apollo/client/react';
import { type FormEvent, useState } from 'react';
import type { Role } from '../../gql/schema';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { TextField } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { ErrorState, SkeletonRows } from '../../ui/States';
import { useChange } from '../../ui/useChange';
import { AccountDocument, ViewerSetPasswordDocument } from './Account.generated';
import { Logins } from './Logins';
import { SecondFactor } from './SecondFactor';

const roles: Record<Role, string> = { VIEWER: 'Viewer', ANALYST: 'Analyst', ADMIN: 'Administrator' };

export function Account() {
  const { data, error, refetch } = useQuery(AccountDocument);
  const reload = () => void refetch().catch(() => undefined);
  if (error && !data) return <ErrorState title="The account cannot be loaded" error={error} onRetry={reload} />;
  if (!data) return <SkeletonRows rows={6} />;
  const user = data.viewer.user;
  return (
    <div className="space-y-4">
      {user && (
        <p>
          <span className="font-semibold">{legible(user.displayName)}</span>{' '}
          <span className="text-muted">
            · logs in as {legible(user.name)} · {roles[user.role]}
          </span>
        </p>
      )}
      <div className="grid gap-4 md:grid-cols-2">
        <Card title="Password">
          <Password />
        </Card>
        <Card title="Second factor">
          <SecondFactor on={user?.secondFactor === true} onChanged={reload} />
        </Card>
      </div>
      {user && (
        <Card title="Logins">
          <Logins user={user} own />
        </Card>
      )}
    </div>
  );
}

function Password() {
  const change = useChange();
  const [password, setPassword] = useState('');
  const [next, setNext] = useState('');
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (!(await change(ViewerSetPasswordDocument, { input: { password, newPassword: next } }))) return;
    setPassword('');
    setNext('');
    notify('info', 'The password is changed; your other logins have ended.');
  };
  return (
    <form onSubmit={send} className="space-y-3">
      <TextField
        label="Present password"
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(e) => setPassword(e.target.value)}
      />
      <TextField
        label="New password"
        hint="At least 12 characters"
        type="password"
        autoComplete="new-password"
        minLength={12}
        required
        value={next}
        onChange={(e) => setNext(e.target.value)}
      />
      <Button type="submit" look="primary" disabled={!password || !next}>
        Change password
      </Button>
    </form>
  );
}
