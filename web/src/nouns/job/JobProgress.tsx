// A job as it goes: how far, what failed, and taking it back.
import { useSubscription } from '@apollo/client/react';
import { Undo2, X } from 'lucide-react';
import { Button, IconButton } from '../../ui/Button';
import { legible } from '../../ui/legible';
import { useChange } from '../../ui/useChange';
import { JobCancelDocument, type JobLineFragment, JobProgressDocument, JobUndoDocument } from './Job.generated';

interface JobProgressProps {
  job: JobLineFragment;
  /** Undoing is a job of its own. */
  onUndo?(job: JobLineFragment): void;
  onDismiss(): void;
}

export const jobLabel: Record<JobLineFragment['kind'], string> = {
  JOURNAL_VERIFY: 'Check of the journal',
  ALERT_BULK: 'Change of many alerts',
  RULE_BACKTEST: 'Backtest of a rule',
  EVENT_ARCHIVE: 'Archive of old events',
  EVENT_RESTORE: 'Restore of archived events',
};

/** They go step by step: the others cannot be stopped. */
const cancellable: readonly JobLineFragment['kind'][] = ['ALERT_BULK', 'RULE_BACKTEST'];

const stateLabel = { RUNNING: 'running', DONE: 'done', FAILED: 'failed', CANCELLED: 'cancelled' };

export function JobProgress({ job, onUndo, onDismiss }: JobProgressProps) {
  const change = useChange();
  const { data } = useSubscription(JobProgressDocument, { variables: { id: job.id } });
  const now = data?.jobProgress ?? job;
  const running = now.state === 'RUNNING';
  const undo = async () => {
    const done = await change(JobUndoDocument, { input: { id: now.id } });
    if (done?.job) onUndo?.(done.job);
  };
  return (
    <div role="status" className="flex items-center gap-3 border-b border-line bg-accent-soft px-3 py-1.5 text-xs">
      <span className="font-medium">
        {jobLabel[now.kind]} {stateLabel[now.state]}
      </span>
      <progress
        aria-label={jobLabel[now.kind]}
        max={Math.max(1, now.total)}
        // One that does not count moves while it runs, and is full once it is done.
        value={now.total > 0 ? now.done : now.state === 'DONE' ? 1 : running ? undefined : 0}
        className="h-1.5 w-40 accent-accent"
      />
      <span className="tabular-nums">
        {now.total > 0 && `${now.done.toLocaleString('en')} of ${now.total.toLocaleString('en')}`}
        {now.failed > 0 && <span className="text-critical"> · {now.failed.toLocaleString('en')} refused</span>}
      </span>
      <span className="truncate text-muted">{legible(now.message)}</span>
      <span className="ml-auto flex items-center gap-2">
        {running ? (
          cancellable.includes(now.kind) && (
            <Button onClick={() => void change(JobCancelDocument, { input: { id: now.id } })}>Cancel</Button>
          )
        ) : (
          <>
            {onUndo && now.kind === 'ALERT_BULK' && !now.undoneBy && now.done > now.failed && (
              <Button icon={Undo2} onClick={() => void undo()}>
                Undo
              </Button>
            )}
            <IconButton icon={X} label="Dismiss" className="size-6" onClick={onDismiss} />
          </>
        )}
      </span>
    </div>
  );
}
