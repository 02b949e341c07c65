// Which archived events come back, and for how long.
import { type FormEvent, useState } from 'react';
import type { JobLineFragment } from '../../nouns/job/Job.generated';
import { DurationField } from '../../nouns/time/DurationField';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { useChange } from '../../ui/useChange';
import { EventRestoreDocument } from './Retention.generated';

/** Days, in UTC, to begin with. */
export interface Wanted {
  from?: string;
  to?: string;
}

interface RestoreDialogProps {
  wanted: Wanted;
  onClose(): void;
  onBegun(job: JobLineFragment): void;
}

const dateOf = (instant: string | undefined) => instant?.slice(0, 10) ?? '';

export function RestoreDialog({ wanted, onClose, onBegun }: RestoreDialogProps) {
  const change = useChange();
  const [from, setFrom] = useState(dateOf(wanted.from));
  const [to, setTo] = useState(dateOf(wanted.to));
  const [query, setQuery] = useState('');
  const [hold, setHold] = useState('P7D');
  const [busy, setBusy] = useState(false);
  const backwards = from !== '' && to !== '' && to < from;
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const input = { from: `${from}T00:00:00Z`, to: `${to}T00:00:00Z`, query: query.trim(), hold };
    const done = await change(EventRestoreDocument, { input });
    setBusy(false);
    if (done?.job) onBegun(done.job);
  };
  return (
    <Dialog title="Restore archived events" onClose={onClose}>
      <form onSubmit={send} className="space-y-4">
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField
            label="From"
            hint="The day they came in, in UTC"
            type="date"
            required
            value={from}
            onChange={(e) => setFrom(e.target.value)}
          />
          <TextField
            label="To"
            hint={backwards ? 'It is before the first day' : 'The last day; 366 days at most'}
            type="date"
            required
            min={from || undefined}
            value={to}
            onChange={(e) => setTo(e.target.value)}
          />
        </div>
        <TextField
          label="Only events that match"
          hint="A query line, for example host:web-1; empty: all"
          spellCheck={false}
          value={query}
          onChange={(e) => setQuery(e.target.value)}
        />
        <DurationField
          label="They stay for"
          hint="An hour to 90 days; then they go again, and stay in the archive"
          required
          units={['days', 'hours']}
          value={hold}
          onChange={setHold}
        />
        <p className="text-xs text-muted">
          Every search finds them under their own ids. No rule runs on them, and no alert is raised. 2,000,000 events at
          most.
        </p>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={busy || backwards || !from || !to || !hold}>
            Restore
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
