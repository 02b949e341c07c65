// Alerts that are one thing become one: the panel's alert takes others in, or
// goes into another; of those selected, one stays.
import { useQuery } from '@apollo/client/react';
import { type FormEvent, useState } from 'react';
import type { AlertStatus, Severity } from '../../gql/schema';
import { statusLook } from '../../nouns/alert/alert';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { Time } from '../../nouns/time/Time';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Choice } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { ErrorState, Skeleton } from '../../ui/States';
import { AlertMergeCandidatesDocument } from './AlertMerge.generated';
import type { AlertActions, Decided } from './useAlertActions';

/** Of one merge, as the server bounds it. */
export const mostMerged = 100;

interface Candidate extends Decided {
  title: string;
  severity: Severity;
  status: AlertStatus;
  host: string;
  user: string;
  count: number;
  lastSeen: string;
}

interface MergeSelectedProps {
  alerts: readonly Candidate[];
  actions: AlertActions;
  /** They are merged. */
  onDone(): void;
  onClose(): void;
}

export function MergeSelected({ alerts, actions, onDone, onClose }: MergeSelectedProps) {
  const [into, setInto] = useState(alerts[0]?.id);
  const [busy, setBusy] = useState(false);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const stays = alerts.find((alert) => alert.id === into);
    if (!stays || busy) return;
    setBusy(true);
    const from = alerts.flatMap((alert) => (alert === stays ? [] : [alert.id]));
    const done = await actions.merge(stays, from).finally(() => setBusy(false));
    if (done) onDone();
    onClose();
  };
  return (
    <Dialog title={`Merge ${alerts.length} alerts`} onClose={onClose}>
      <form onSubmit={send} className="space-y-4">
        <p className="text-muted">
          One stays and counts for all. The others are closed as its duplicates; each can be detached again.
        </p>
        <fieldset className="max-h-72 space-y-1 overflow-y-auto">
          <legend className="mb-1.5 text-xs font-medium">Which one stays?</legend>
          {alerts.map((alert) => (
            <CandidateLine
              key={alert.id}
              alert={alert}
              kind="radio"
              checked={alert.id === into}
              onChange={() => setInto(alert.id)}
            />
          ))}
        </fieldset>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={busy}>
            Merge
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface MergeSimilarProps {
  alert: Decided;
  actions: AlertActions;
  onClose(): void;
  /** Shows the alert that it went into. */
  onOpen(id: string): void;
}

export function MergeSimilar({ alert, actions, onClose, onOpen }: MergeSimilarProps) {
  const { data, error, refetch } = useQuery(AlertMergeCandidatesDocument, {
    variables: { id: alert.id },
    fetchPolicy: 'network-only',
  });
  const [way, setWay] = useState<'take' | 'go'>('take');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState(false);
  const candidates = data?.alert?.similar.flatMap(({ alert: other }) => (other.mergedInto ? [] : [other]));
  const toggle = (id: string) => {
    if (way === 'go') return setChosen(new Set([id]));
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const first = candidates?.find((candidate) => chosen.has(candidate.id));
    if (!first || busy) return;
    setBusy(true);
    const merging = way === 'take' ? actions.merge(alert, [...chosen]) : actions.merge(first, [alert.id]);
    const done = await merging.finally(() => setBusy(false));
    onClose();
    if (done && way === 'go') onOpen(first.id);
  };
  return (
    <Dialog title="Merge the alert" onClose={onClose}>
      <form onSubmit={send} className="space-y-4">
        <Choice
          label="How?"
          value={way}
          options={[
            ['take', 'This one stays and takes others in'],
            ['go', 'This one goes into another'],
          ]}
          onChange={(value) => {
            setWay(value as typeof way);
            setChosen(new Set());
          }}
          hint="What goes in is closed as a duplicate, and can be detached again."
        />
        {error && !candidates ? (
          <ErrorState
            title="The similar alerts cannot be loaded"
            error={error}
            onRetry={() => void refetch().catch(() => undefined)}
          />
        ) : !candidates ? (
          <Skeleton className="h-40" />
        ) : candidates.length === 0 ? (
          <p className="text-muted">No alert is like this one. Select others in the queue to merge them.</p>
        ) : (
          <fieldset className="max-h-72 space-y-1 overflow-y-auto">
            <legend className="mb-1.5 text-xs font-medium">Similar alerts, the most similar first</legend>
            {candidates.map((candidate) => (
              <CandidateLine
                key={candidate.id}
                alert={candidate}
                kind={way === 'take' ? 'checkbox' : 'radio'}
                checked={chosen.has(candidate.id)}
                onChange={() => toggle(candidate.id)}
              />
            ))}
          </fieldset>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={busy || chosen.size === 0}>
            {way === 'go' ? 'Merge into it' : chosen.size > 1 ? `Take ${chosen.size} in` : 'Take it in'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface CandidateLineProps {
  alert: Candidate;
  kind: 'radio' | 'checkbox';
  checked: boolean;
  onChange(): void;
}

function CandidateLine({ alert, kind, checked, onChange }: CandidateLineProps) {
  return (
    <label className="flex cursor-pointer items-center gap-2 rounded-lg border border-line px-3 py-2 hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft">
      <input
        type={kind}
        name="candidate"
        value={alert.id}
        checked={checked}
        onChange={onChange}
        className="accent-accent"
      />
      <SeverityBadge severity={alert.severity} />
      <span className="min-w-0 grow">
        <span className="block truncate font-medium">{legible(alert.title)}</span>
        <span className="block truncate text-xs text-muted">
          {[alert.host, alert.user].filter(Boolean).map((part) => `${legible(part)} · `)}
          {statusLook[alert.status].label} · {alert.count.toLocaleString('en')} ×
        </span>
      </span>
      <span className="shrink-0 text-xs text-muted">
        <Time at={alert.lastSeen} />
      </span>
    </label>
  );
}
