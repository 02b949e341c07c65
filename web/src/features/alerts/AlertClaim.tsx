// Who else looks at the alert just now, so that nobody does the same twice.
import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { Eye } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useViewer } from '../../nouns/user/useViewer';
import { Button } from '../../ui/Button';
import { legible } from '../../ui/legible';
import { useChange } from '../../ui/useChange';
import { type AlertClaimFragment, AlertClaimFragmentDoc, AlertClaimTakeDocument } from './AlertClaim.generated';
import { useClaim } from './useClaim';

export function AlertClaim({ alert }: { alert: FragmentType<AlertClaimFragment> }) {
  const { data, complete } = useFragment({
    fragment: AlertClaimFragmentDoc,
    fragmentName: 'AlertClaim',
    from: alert,
  });
  const { viewer, mayWork } = useViewer();
  const claim = useRunning(complete ? (data.claim ?? null) : null);
  const me = viewer?.user?.id;
  const other = claim && claim.user.id !== me ? claim.user : null;
  const change = useChange();
  const id = complete ? (data.id ?? '') : '';
  const hold = useClaim(id, mayWork && me !== undefined && id !== '' && !other);
  if (!other) return null;
  const takeOver = async () => {
    if (await change(AlertClaimTakeDocument, { input: { id, takeOver: true } })) hold();
  };
  return (
    <div role="status" className="flex items-center gap-2 rounded-lg bg-warn-soft px-3 py-1.5 text-xs text-warn">
      <Eye size={14} aria-hidden className="shrink-0" />
      <span className="min-w-0 grow font-medium">{legible(other.displayName)} is viewing this alert</span>
      {mayWork && (
        <Button className="h-6" onClick={() => void takeOver()}>
          Take over
        </Button>
      )}
    </div>
  );
}

type Claim = NonNullable<AlertClaimFragment['claim']>;

/** The claim, until its time is over. */
function useRunning(claim: Claim | null): Claim | null {
  const [, tick] = useState(0);
  const until = claim ? Date.parse(claim.until) : 0;
  useEffect(() => {
    const left = until - Date.now();
    if (left <= 0) return;
    const timer = setTimeout(() => tick((n) => n + 1), left + 50);
    return () => clearTimeout(timer);
  }, [until]);
  return until > Date.now() ? claim : null;
}
