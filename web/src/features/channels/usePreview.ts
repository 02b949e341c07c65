// What a draft would say, asked for once typing rests.
import { useQuery } from '@apollo/client/react';
import { useMemo } from 'react';
import type { ChannelPreviewInput } from '../../gql/schema';
import { useSettled } from '../../ui/useSettled';
import { ChannelPreviewDocument } from './Channels.generated';
import { type Draft, previewInput } from './draft';

const typingPause = 400;

export function usePreview(draft: Draft, grouped: boolean) {
  // As text: the same words asked for again are no change.
  const settled = useSettled(JSON.stringify(previewInput(draft, grouped)), typingPause);
  const input = useMemo(() => JSON.parse(settled) as ChannelPreviewInput, [settled]);
  const { data, previousData, error, refetch } = useQuery(ChannelPreviewDocument, {
    variables: { input },
    fetchPolicy: 'no-cache',
  });
  return { preview: (data ?? previousData)?.channelPreview, error, retry: () => void refetch().catch(() => undefined) };
}
