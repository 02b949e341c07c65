import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { JournalList } from '../../nouns/journal/JournalList';
import { type AlertHistoryFragment, AlertHistoryFragmentDoc } from './AlertHistory.generated';

export function AlertHistory({ alert }: { alert: FragmentType<AlertHistoryFragment> }) {
  const { data, complete } = useFragment({ fragment: AlertHistoryFragmentDoc, from: alert });
  if (!complete) return null;
  return <JournalList entries={data.journal.nodes} more={data.journal.pageInfo.hasNextPage} />;
}
