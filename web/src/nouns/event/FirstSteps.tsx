// What to do when nothing has come in yet: commands that work as they stand.
import { Link } from '@tanstack/react-router';
import { Command } from '../../ui/Command';

export function FirstSteps() {
  return (
    <section aria-labelledby="first-steps" className="rounded-xl border border-accent bg-accent-soft p-4">
      <h2 id="first-steps" className="text-base font-semibold">
        Nothing has come in yet
      </h2>
      <p className="mt-1 mb-3 text-sm">
        Make a token under{' '}
        <Link to="/integrations" className="text-accent underline underline-offset-2">
          Integrations
        </Link>{' '}
        (or with <code className="font-mono text-xs">secmon token create --name first --scope ingest</code>), then send
        an event that fires a rule of the starter pack:
      </p>
      <Command text={firstEvent('$TOKEN')} />
    </section>
  );
}

/** A curl command that sends an event which fires "PowerShell with an Encoded Command". */
export function firstEvent(token: string): string {
  return `curl ${location.origin}/api/ingest -H "Authorization: Bearer ${token}" \\
  -H "Content-Type: application/x-ndjson" \\
  -d '{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"ws-01","User":"CORP\\\\ana","Image":"C:\\\\Windows\\\\System32\\\\WindowsPowerShell\\\\v1.0\\\\powershell.exe","CommandLine":"powershell.exe -NoP -W Hidden -EncodedCommand SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAKQA="}'`;
}
