// One alert in the queue. It reads its own fragment, so that a change draws this
// row again and no other.
import { useFragment } from '@apollo/client/react';
import clsx from 'clsx';
import { memo } from 'react';
import { StatusBadge } from '../../nouns/alert/StatusBadge';
import { formatFlow } from '../../nouns/endpoint/endpoint';
import { Techniques } from '../../nouns/rule/Techniques';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { Time } from '../../nouns/time/Time';
import type { Column } from '../../ui/VirtualGrid';
import { AlertRowFragmentDoc } from './AlertRow.generated';

const wide = '@max-[76rem]:hidden';
const mid = '@max-[56rem]:hidden';

/** The columns and their widths; narrow lists leave the less telling ones out. */
export const columns: readonly Column[] = [
  { id: 'severity', title: 'Severity' },
  { id: 'status', title: 'Status' },
  { id: 'title', title: 'Alert' },
  { id: 'lastSeen', title: 'Last seen' },
  { id: 'count', title: 'Count', className: clsx('text-right', mid) },
  { id: 'host', title: 'Host' },
  { id: 'user', title: 'User', className: mid },
  { id: 'flow', title: 'Source → destination', className: wide },
  { id: 'techniques', title: 'Techniques', className: wide },
  { id: 'assignee', title: 'Assignee', className: mid },
  { id: 'age', title: 'Age', className: clsx('text-right', wide) },
];

export const template = clsx(
  'grid-cols-[5rem_7.25rem_minmax(15rem,2.4fr)_4.25rem_2.75rem_minmax(6.5rem,1fr)_minmax(5rem,0.8fr)_minmax(7.5rem,1.1fr)_6rem_minmax(4.5rem,0.7fr)_2.25rem]',
  '@max-[76rem]:grid-cols-[5rem_7.25rem_minmax(10rem,2fr)_4.25rem_2.75rem_minmax(6rem,1fr)_minmax(5rem,0.8fr)_6.5rem]',
  '@max-[56rem]:grid-cols-[5rem_7.25rem_minmax(8rem,2fr)_4.25rem_minmax(5rem,1fr)]',
);

export const AlertRow = memo(function AlertRow({ id, gone }: { id: string; gone: boolean }) {
  const { data, complete } = useFragment({ fragment: AlertRowFragmentDoc, from: { __typename: 'Alert', id } });
  if (!complete) return null;
  return (
    <>
      <div role="gridcell" className="flex items-center">
        <SeverityBadge severity={data.severity} />
      </div>
      <div role="gridcell" className="flex min-w-0 items-center">
        <StatusBadge status={data.status} />
      </div>
      <div
        role="gridcell"
        className={clsx('truncate font-medium', gone && 'text-muted line-through')}
        title={data.title}
      >
        {data.title}
        {gone && <span className="sr-only"> (no longer matches the filter)</span>}
      </div>
      <div role="gridcell" className="truncate text-muted">
        <Time at={data.lastSeen} />
      </div>
      <div role="gridcell" className={clsx('text-right', mid)}>
        {data.count.toLocaleString('en')}
      </div>
      <div role="gridcell" className="truncate" title={data.host}>
        {data.host}
      </div>
      <div role="gridcell" className={clsx('truncate', mid)} title={data.user}>
        {data.user}
      </div>
      <div role="gridcell" className={clsx('truncate text-muted', wide)}>
        {formatFlow(data.source, data.destination)}
      </div>
      <div
        role="gridcell"
        className={clsx('flex h-5 items-center overflow-hidden', wide)}
        title={data.techniques.join(', ')}
      >
        <Techniques ids={data.techniques} short />
      </div>
      <div role="gridcell" className={clsx('truncate text-muted', mid)}>
        {data.assignee?.displayName ?? <span className="text-faint">Nobody</span>}
      </div>
      <div role="gridcell" className={clsx('text-right text-muted', wide)}>
        <Time at={data.createdAt} as="age" />
      </div>
    </>
  );
});
