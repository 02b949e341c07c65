// Where somebody is logged in; each login can be ended, or all at once.
import { useQuery } from '@apollo/client/react';
import { LogOut } from 'lucide-react';
import { useState } from 'react';
import { Time } from '../../nouns/time/Time';
import { formatAgent } from '../../nouns/user/agent';
import { Button } from '../../ui/Button';
import { notify } from '../../ui/notices';
import { ErrorState, Skeleton } from '../../ui/States';
import { Table } from '../../ui/Table';
import { useChange } from '../../ui/useChange';
import { LoginsDocument, SessionRevokeAllDocument, SessionRevokeDocument } from './Logins.generated';

interface LoginsProps {
  user: { id: string; displayName: string };
  /** Whether it is who looks. */
  own: boolean;
}

export function Logins({ user, own }: LoginsProps) {
  const change = useChange();
  const { data, error, refetch } = useQuery(LoginsDocument, {
    variables: { user: user.id },
    fetchPolicy: 'cache-and-network',
  });
  const [busy, setBusy] = useState(false);
  const reload = () => refetch().catch(() => undefined);
  if (!data) {
    if (error) return <ErrorState title="The logins cannot be loaded" error={error} onRetry={() => void reload()} />;
    return <Skeleton className="h-24" />;
  }
  const { nodes, pageInfo } = data.sessions;
  const others = nodes.filter((session) => !session.current);
  const run = async (work: () => Promise<boolean>) => {
    setBusy(true);
    // What is refused may have ended meanwhile: the list tells.
    await work()
      .then(reload)
      .finally(() => setBusy(false));
  };
  const endAll = () =>
    run(async () => {
      const done = await change(SessionRevokeAllDocument, { input: { user: user.id } });
      if (done) notify('info', own ? 'Your other logins have ended.' : `${user.displayName} is logged out everywhere.`);
      return done !== null;
    });
  if (nodes.length === 0) return <p className="text-muted">{user.displayName} is logged in nowhere.</p>;
  return (
    <div className="space-y-3">
      {others.length > 0 && (
        <div className="flex flex-wrap items-center gap-2">
          <p className="text-xs text-muted">
            What is not known here should be ended, and the password changed.
            {pageInfo.hasNextPage && ` The latest ${nodes.length} are listed.`}
          </p>
          <Button look="danger" icon={LogOut} className="ml-auto" disabled={busy} onClick={() => void endAll()}>
            {own ? 'End all others' : 'End all'}
          </Button>
        </div>
      )}
      <Table
        bare
        label="List of logins"
        columns={['Browser', 'From', 'Since', 'Last used', '']}
        rows={nodes.map((session) => ({
          key: session.id,
          cells: [
            <span key="a" className="whitespace-nowrap" title={session.agent}>
              {formatAgent(session.agent)}
            </span>,
            session.address,
            <Time key="c" at={session.createdAt} />,
            <Time key="l" at={session.lastUsedAt} />,
            session.current ? (
              <span key="x" className="text-xs text-muted">
                This one
              </span>
            ) : (
              <Button
                key="x"
                look="danger"
                aria-label={`End the login with ${formatAgent(session.agent)} from ${session.address}`}
                disabled={busy}
                onClick={() =>
                  void run(async () => (await change(SessionRevokeDocument, { input: { id: session.id } })) !== null)
                }
              >
                End
              </Button>
            ),
          ],
        }))}
      />
    </div>
  );
}
