// Says that the alert is part of another, and takes it out again.
import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { Unlink } from 'lucide-react';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { Button } from '../../ui/Button';
import { legible } from '../../ui/legible';
import { type AlertDuplicateFragment, AlertDuplicateFragmentDoc } from './AlertMerge.generated';
import type { AlertActions } from './useAlertActions';

interface AlertDuplicateProps {
  alert: FragmentType<AlertDuplicateFragment>;
  /** Absent: who looks may not change it. */
  actions?: AlertActions;
  onOpen(id: string): void;
}

export function AlertDuplicate({ alert, actions, onOpen }: AlertDuplicateProps) {
  const { data, complete } = useFragment({
    fragment: AlertDuplicateFragmentDoc,
    from: alert,
    fragmentName: 'AlertDuplicate',
  });
  const into = complete ? data.mergedInto : null;
  if (!complete || !into) return null;
  return (
    <div className="mx-4 mb-3 flex flex-wrap items-center gap-2 rounded-lg border border-line bg-raised px-3 py-2 text-xs">
      <span className="text-muted">Merged into</span>
      <SeverityBadge severity={into.severity} />
      <button
        type="button"
        onClick={() => onOpen(into.id)}
        className="min-w-0 grow truncate text-left font-medium text-accent underline underline-offset-2"
      >
        {legible(into.host ? `${into.title} · ${into.host}` : into.title)}
      </button>
      {actions && (
        <Button icon={Unlink} onClick={() => void actions.detach(data)}>
          Detach
        </Button>
      )}
    </div>
  );
}
