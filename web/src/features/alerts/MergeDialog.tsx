// Alerts that are one thing become one: the panel's alert takes others in, or
// goes into another; of those selected, one stays.
import { useQuery } from '@apollo/client/react';
import { type FormEvent, useState } from 'react';
import type { AlertStatus, Severity } from '../../gql/schema';
import { statusLook } from '../../nouns/alert/alert';
import { MergeButtons, MergeCandidate, MergeWay, type Way } from '../../nouns/merge/Merge';
import { Dialog } from '../../ui/Dialog';
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
        <MergeButtons way={null} chosen={alerts.length} busy={busy} onClose={onClose} />
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
  const [way, setWay] = useState<Way>('take');
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
        <MergeWay
          way={way}
          hint="What goes in is closed as a duplicate, and can be detached again."
          onChange={(next) => {
            setWay(next);
            setChosen(new Set());
          }}
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
        <MergeButtons way={way} chosen={chosen.size} busy={busy} onClose={onClose} />
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

function CandidateLine({ alert, ...choice }: CandidateLineProps) {
  return (
    <MergeCandidate
      {...choice}
      id={alert.id}
      severity={alert.severity}
      title={legible(alert.title)}
      detail={
        <>
          {[alert.host, alert.user].filter(Boolean).map((part) => `${legible(part)} · `)}
          {statusLook[alert.status].label} · {alert.count.toLocaleString('en')} ×
        </>
      }
      at={alert.lastSeen}
    />
  );
}
