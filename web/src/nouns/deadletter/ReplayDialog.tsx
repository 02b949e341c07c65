// Replaying dead letters: what it does, how far it is, and what became of them.
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { legible } from '../../ui/legible';
import type { Outcome } from './outcome';
import { useReplay, type Which } from './useReplay';

interface ReplayDialogProps {
  which: Which;
  /** Which they are, for people: "3 dead letters". */
  what: string;
  onClose(): void;
  /** Some have been replayed. */
  onReplayed(): void;
}

export function ReplayDialog({ which, what, onClose, onReplayed }: ReplayDialogProps) {
  const { state, total, outcome, start } = useReplay(which);
  const [asText, setAsText] = useState(false);
  const run = async () => {
    await start(asText);
    onReplayed();
  };
  return (
    <Dialog title={`Replay ${what}`} onClose={onClose}>
      <div className="space-y-4">
        {state === 'idle' && (
          <>
            <p>
              They go through the pipeline again, with the limits, mappings and rules of today. One whose event is
              stored is not stored again.
            </p>
            <label className="flex items-start gap-2">
              <input
                type="checkbox"
                checked={asText}
                onChange={(event) => setAsText(event.target.checked)}
                className="mt-0.5 accent-accent"
              />
              <span>
                Take each as text
                <span className="block text-xs text-muted">
                  It becomes the message of an event of its own, so that also what is no JSON is stored.
                </span>
              </span>
            </label>
          </>
        )}
        {state === 'running' && (
          <p role="status" className="tabular-nums">
            {total === null ? 'Looking for them…' : `${count(outcome.done)} of ${count(total)} replayed`}
          </p>
        )}
        {state === 'done' && <Told outcome={outcome} total={total} />}
        <div className="flex justify-end gap-2">
          {state === 'done' ? (
            <Button look="primary" onClick={onClose}>
              Done
            </Button>
          ) : (
            <>
              <Button onClick={onClose}>{state === 'running' ? 'Stop' : 'Cancel'}</Button>
              <Button look="primary" disabled={state === 'running'} onClick={() => void run()}>
                Replay
              </Button>
            </>
          )}
        </div>
      </div>
    </Dialog>
  );
}

/** Reasons beyond these are few each. */
const reasonsShown = 10;

function Told({ outcome, total }: { outcome: Outcome; total: number | null }) {
  const { done, stored, repeated, refused, gone, reasons, formats } = outcome;
  if (total === null) return <p role="status">The letters could not be read; none was replayed.</p>;
  if (total === 0) return <p role="status">There is none.</p>;
  const told = [
    [stored, 'stored'],
    [repeated, 'stored before'],
    [refused, 'refused again'],
    [gone, 'gone meanwhile'],
    [total - done, 'not replayed'],
  ] as const;
  return (
    <div className="space-y-3">
      <p role="status" className="font-medium tabular-nums">
        {told
          .filter(([n]) => n > 0)
          .map(([n, text]) => `${count(n)} ${text}`)
          .join(', ')}
      </p>
      {formats.map((format) => (
        <p key={format}>
          <Link to="/events" search={{ q: `format:"${format}"` }} className="text-accent underline underline-offset-2">
            Events read as {legible(format)}
          </Link>
        </p>
      ))}
      {reasons.length > 0 && (
        <ul aria-label="Why they were refused" className="list-inside list-disc space-y-1 text-xs">
          {reasons.slice(0, reasonsShown).map(({ text, count: n }) => (
            <li key={text} className="break-words">
              {legible(text)}
              {n > 1 && <span className="text-muted"> ({count(n)} times)</span>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function count(n: number): string {
  return n.toLocaleString('en');
}
