// What to do when nothing has come in yet: commands that work as they stand.
import { Link } from '@tanstack/react-router';
import { KeyRound } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Button } from '../../ui/Button';
import { Command } from '../../ui/Command';
import { useChange } from '../../ui/useChange';
import { useViewer } from '../user/useViewer';
import { FirstTokenDocument } from './FirstSteps.generated';

/** How long the token of the first steps is good, in milliseconds. */
const tokenLife = 90 * 86_400_000;

export function FirstSteps() {
  const change = useChange();
  const { mayWork } = useViewer();
  const [secret, setSecret] = useState<string | null>(null);
  const make = async () => {
    const expiresAt = new Date(Date.now() + tokenLife).toISOString();
    const done = await change(FirstTokenDocument, { input: { name: 'first', scopes: ['INGEST'], expiresAt } });
    if (done?.secret) setSecret(done.secret);
  };
  return (
    <ol className="grid gap-x-6 gap-y-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]">
      <Step n={1} title="Make a token that may send">
        {secret ? (
          <>
            <p className="text-muted">
              It stands in the command. Keep it: it is shown this once, and good for 90 days.
            </p>
            <Command text={secret} />
          </>
        ) : (
          <>
            {mayWork ? (
              <Button look="primary" icon={KeyRound} onClick={() => void make()}>
                Make a token
              </Button>
            ) : (
              <p className="text-muted">An analyst or an administrator can.</p>
            )}
            <p className="text-muted">Or in a shell, beside the server:</p>
            <Command text="TOKEN=$(secmon token create --name first --scope ingest)" />
          </>
        )}
      </Step>
      <Step n={2} title="Send an event that fires a rule of the starter pack">
        <Command text={firstEvent(secret ?? '$TOKEN')} />
        <p className="text-muted">
          Then connect what you have:{' '}
          <Link
            to="/integrations"
            search={{ section: 'shippers' }}
            className="text-accent underline underline-offset-2"
          >
            Fluent Bit, Vector, rsyslog and others
          </Link>
          .
        </p>
      </Step>
    </ol>
  );
}

function Step({ n, title, children }: { n: number; title: string; children: ReactNode }) {
  return (
    <li className="min-w-0">
      <h3 className="mb-2 flex items-center gap-2 font-medium">
        <span
          aria-hidden
          className="flex size-5 shrink-0 items-center justify-center rounded-full bg-accent text-2xs font-semibold text-accent-ink"
        >
          {n}
        </span>
        {title}
      </h3>
      <div className="space-y-2">{children}</div>
    </li>
  );
}

/** A curl command that sends an event which fires "PowerShell with an Encoded Command". */
export function firstEvent(token: string): string {
  return `curl ${location.origin}/api/ingest -H "Authorization: Bearer ${token}" \\
  -H "Content-Type: application/x-ndjson" \\
  -d '{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"ws-01","User":"CORP\\\\ana","Image":"C:\\\\Windows\\\\System32\\\\WindowsPowerShell\\\\v1.0\\\\powershell.exe","CommandLine":"powershell.exe -NoP -W Hidden -EncodedCommand SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAKQA="}'`;
}
