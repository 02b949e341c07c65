// Pieces of the dialogs in which things that are one become one: which way, which
// candidates, and the words on the button.
import type { ReactNode } from 'react';
import type { Severity } from '../../gql/schema';
import { Button } from '../../ui/Button';
import { Choice } from '../../ui/Field';
import { SeverityBadge } from '../severity/SeverityBadge';
import { Time } from '../time/Time';

/** Whether this one takes others in, or goes into another. */
export type Way = 'take' | 'go';

interface MergeWayProps {
  way: Way;
  /** What becomes of those that go in. */
  hint: string;
  onChange(way: Way): void;
}

export function MergeWay({ way, hint, onChange }: MergeWayProps) {
  return (
    <Choice
      label="How?"
      value={way}
      options={[
        ['take', 'This one stays and takes others in'],
        ['go', 'This one goes into another'],
      ]}
      onChange={(value) => onChange(value as Way)}
      hint={hint}
    />
  );
}

interface MergeCandidateProps {
  id: string;
  severity: Severity;
  title: string;
  /** What tells it from others of its title. */
  detail: ReactNode;
  at: string;
  kind: 'radio' | 'checkbox';
  checked: boolean;
  disabled?: boolean;
  onChange(): void;
}

export function MergeCandidate({ id, severity, title, detail, at, kind, ...input }: MergeCandidateProps) {
  return (
    <label className="flex cursor-pointer items-center gap-2 rounded-lg border border-line px-3 py-2 hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft">
      <input type={kind} name="candidate" value={id} className="accent-accent" {...input} />
      <SeverityBadge severity={severity} />
      <span className="min-w-0 grow">
        <span className="block truncate font-medium">{title}</span>
        <span className="block truncate text-xs text-muted">{detail}</span>
      </span>
      <span className="shrink-0 text-xs text-muted">
        <Time at={at} />
      </span>
    </label>
  );
}

interface MergeButtonsProps {
  /** Null: it is clear which way, and how many. */
  way: Way | null;
  chosen: number;
  busy: boolean;
  onClose(): void;
}

export function MergeButtons({ way, chosen, busy, onClose }: MergeButtonsProps) {
  return (
    <div className="flex justify-end gap-2">
      <Button onClick={onClose}>Cancel</Button>
      <Button type="submit" look="primary" disabled={busy || chosen === 0}>
        {way === null ? 'Merge' : way === 'go' ? 'Merge into it' : chosen > 1 ? `Take ${chosen} in` : 'Take it in'}
      </Button>
    </div>
  );
}
