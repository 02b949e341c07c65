import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { JournalList } from '../../nouns/journal/JournalList';
import { isLook } from '../../nouns/journal/words';
import { type AlertHistoryFragment, AlertHistoryFragmentDoc } from './AlertHistory.generated';

export function AlertHistory({ alert }: { alert: FragmentType<AlertHistoryFragment> }) {
  const { data, complete } = useFragment({
    fragment: AlertHistoryFragmentDoc,
    fragmentName: 'AlertHistory',
    from: alert,
  });
  if (!complete) return null;
  // Who only looked has changed nothing.
  const entries = data.journal.nodes.filter((entry) => !isLook(entry.action));
  return <JournalList entries={entries} more={data.journal.pageInfo.hasNextPage} />;
}
