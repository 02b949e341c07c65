// Closing asks for a finding and a reason; reopening for a reason.
import { type FormEvent, useId, useState } from 'react';
import type { AlertDisposition } from '../../gql/schema';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { dispositionLook, dispositions } from './alert';

const longestReason = 2_000;

export function CloseDialog(props: {
  /** "the alert". */
  what: string;
  onCancel(): void;
  onSubmit(disposition: AlertDisposition, reason: string): Promise<unknown>;
}) {
  const [disposition, setDisposition] = useState<AlertDisposition | null>(null);
  const [reason, setReason] = useState('');
  return (
    <Dialog title={`Close ${props.what}`} onClose={props.onCancel}>
      <ReasonForm
        reason={reason}
        onReason={setReason}
        submit={`Close ${props.what}`}
        ready={disposition !== null}
        onCancel={props.onCancel}
        onSubmit={async () => disposition && props.onSubmit(disposition, reason.trim())}
      >
        <fieldset className="space-y-1">
          <legend className="mb-1.5 text-xs font-medium">What was it?</legend>
          {dispositions.map((value) => (
            <label
              key={value}
              className="flex cursor-pointer items-baseline gap-2 rounded-lg border border-line px-3 py-2 hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft"
            >
              <input
                type="radio"
                name="disposition"
                value={value}
                required
                checked={disposition === value}
                onChange={() => setDisposition(value)}
                className="accent-accent"
              />
              <span className="font-medium">{dispositionLook[value].label}</span>
              <span className="text-xs text-muted">{dispositionLook[value].meaning}</span>
            </label>
          ))}
        </fieldset>
      </ReasonForm>
    </Dialog>
  );
}

export function ReopenDialog(props: { what: string; onCancel(): void; onSubmit(reason: string): Promise<unknown> }) {
  const [reason, setReason] = useState('');
  return (
    <Dialog title={`Reopen ${props.what}`} onClose={props.onCancel}>
      <ReasonForm
        reason={reason}
        onReason={setReason}
        submit={`Reopen ${props.what}`}
        ready
        onCancel={props.onCancel}
        onSubmit={() => props.onSubmit(reason.trim())}
      />
    </Dialog>
  );
}

interface ReasonFormProps {
  reason: string;
  onReason(reason: string): void;
  submit: string;
  ready: boolean;
  onCancel(): void;
  onSubmit(): Promise<unknown>;
  children?: React.ReactNode;
}

function ReasonForm({ reason, onReason, submit, ready, onCancel, onSubmit, children }: ReasonFormProps) {
  const id = useId();
  const [busy, setBusy] = useState(false);
  const complete = ready && reason.trim() !== '';
  const send = async (event?: FormEvent) => {
    event?.preventDefault();
    if (!complete || busy) return;
    setBusy(true);
    await onSubmit().finally(() => setBusy(false));
  };
  return (
    <form onSubmit={send} className="space-y-4">
      {children}
      <div>
        <label htmlFor={id} className="mb-1.5 block text-xs font-medium">
          Why?
        </label>
        <textarea
          id={id}
          required
          rows={3}
          maxLength={longestReason}
          value={reason}
          onChange={(event) => onReason(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
          }}
          placeholder="What you found, for whoever looks at it next"
          className="w-full rounded-lg border border-line-strong bg-surface px-3 py-2"
        />
      </div>
      <div className="flex items-center justify-end gap-2">
        <span className="mr-auto text-2xs text-faint">Ctrl+Enter sends</span>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" look="primary" disabled={!complete || busy}>
          {submit}
        </Button>
      </div>
    </form>
  );
}
