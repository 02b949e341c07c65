// How the states of archived days and restores look, never by colour alone, and
// what an administrator does about one that fails.
import clsx from 'clsx';
import {
  ArchiveX,
  CircleCheck,
  CircleX,
  Clock,
  FileCheck,
  FilePen,
  type LucideIcon,
  Trash2,
  TriangleAlert,
} from 'lucide-react';
import type { EventArchiveState, EventRestoreState } from '../../gql/schema';

interface Look {
  label: string;
  icon: LucideIcon;
  className: string;
}

const archiveLook: Record<EventArchiveState, Look> = {
  WRITING: { label: 'Being written', icon: FilePen, className: 'text-accent' },
  WRITTEN: { label: 'Verified', icon: FileCheck, className: 'text-accent' },
  REMOVED: { label: 'Archived', icon: CircleCheck, className: 'text-good' },
  DISABLED: { label: 'Deleted', icon: Trash2, className: 'text-muted' },
};

const restoreLook: Record<EventRestoreState, Look> = {
  RUNNING: { label: 'Comes back', icon: Clock, className: 'text-accent' },
  DONE: { label: 'Back', icon: CircleCheck, className: 'text-good' },
  FAILED: { label: 'Failed', icon: CircleX, className: 'text-critical' },
  EXPIRED: { label: 'Gone again', icon: Clock, className: 'text-muted' },
};

/** Verifying found something else than was written; the server's own words tell. */
const damage =
  /is not what was written|is no manifest|has the format|names an object of another|has \d+ events, not|speaks of \d+ events|, line \d+:/;

export function isDamaged(error: string): boolean {
  return damage.test(error);
}

export function ArchiveBadge({ state, error }: { state: EventArchiveState; error: string }) {
  if (!error) return <Badge look={archiveLook[state]} />;
  return (
    <Badge
      look={
        isDamaged(error)
          ? { label: 'Damaged', icon: ArchiveX, className: 'text-critical' }
          : { label: 'Waits', icon: TriangleAlert, className: 'text-warn' }
      }
    />
  );
}

export function RestoreBadge({ state }: { state: EventRestoreState }) {
  return <Badge look={restoreLook[state]} />;
}

function Badge({ look: { label, icon: Icon, className } }: { look: Look }) {
  return (
    <span className={clsx('inline-flex items-center gap-1 text-xs font-medium whitespace-nowrap', className)}>
      <Icon size={14} aria-hidden />
      {label}
    </span>
  );
}

/** What to do about an archive that could not be written or verified: nothing of it was deleted. */
export function archiveAdvice(error: string): string {
  if (/this server has none/.test(error)) return 'Give every replica the same --archive.';
  if (isDamaged(error))
    return 'Put the object back as it was written, from another copy or an earlier version; secmon archive verify names every one.';
  if (/AccessDenied|InvalidAccessKey|SignatureDoesNotMatch|Forbidden|credential|permission denied/i.test(error))
    return 'The archive has to let the server write, read and list: see its credentials and rights.';
  if (/no space|quota|disk full/i.test(error)) return 'Make room where the archive is.';
  if (/no such host|connection refused|timeout|deadline|unreachable/i.test(error))
    return 'See whether the server reaches the place of the archive.';
  return 'secmon doctor says more.';
}

/** What to do about a restore that failed; what has come back by then stays until its time is over. */
export function restoreAdvice(error: string): string {
  if (isDamaged(error)) return 'The object has to come from another copy of the archive; then restore again.';
  if (/more than .* events/.test(error)) return 'Restore fewer days, or say which events.';
  if (/identity|no private key|decrypt/i.test(error))
    return 'Give the server --archive-identity-file, or use secmon archive restore.';
  return 'See whether the server reaches the place of the archive, and restore again.';
}
