// Whether a further finding like this one would raise nothing.
import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import { EyeOff } from 'lucide-react';
import { Time } from '../../nouns/time/Time';
import { Banner } from '../../ui/Banner';
import { legible } from '../../ui/legible';
import { type AlertSuppressedFragment, AlertSuppressedFragmentDoc } from './AlertSuppressed.generated';

export function AlertSuppressed({ alert }: { alert: FragmentType<AlertSuppressedFragment> }) {
  const { data, complete } = useFragment({ fragment: AlertSuppressedFragmentDoc, from: alert });
  const first = complete ? data.suppressions[0] : undefined;
  if (!first) return null;
  return (
    <Banner tone="info" icon={EyeOff} live={false} className="mx-4 mb-3 rounded-lg">
      Further findings like this raise no alert:{' '}
      <Link
        to="/suppressions"
        search={{ suppression: first.id }}
        className="font-semibold underline underline-offset-2"
      >
        {legible(first.name)}
      </Link>
      {first.until && (
        <>
          , ends <Time at={first.until} />
        </>
      )}
    </Banner>
  );
}
