// The normalised fields of an event, without those that are empty.

import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import type { ReactNode } from 'react';
import { Facts } from '../../ui/Facts';
import { Address } from '../entity/Address';
import { EntityLink } from '../entity/EntityLink';
import { severityLook } from '../severity/severity';
import { Time } from '../time/Time';
import { type EventEnvelopeFragment, EventEnvelopeFragmentDoc } from './EventEnvelope.generated';
import { classLabel, outcomeLabel } from './event';

export function EventEnvelope({ event }: { event: FragmentType<EventEnvelopeFragment> }) {
  const { data, complete } = useFragment({ fragment: EventEnvelopeFragmentDoc, from: event });
  if (!complete) return null;
  const source = [data.logSource.product, data.logSource.category, data.logSource.service].filter(Boolean).join(' / ');
  const code = (text: string) =>
    text && <code className="font-mono text-xs break-all whitespace-pre-wrap">{text}</code>;
  const rows: [string, ReactNode][] = [
    ['Happened', <Time key="o" at={data.occurredAt} as="clock" />],
    ['Stored', <Time key="r" at={data.receivedAt} as="clock" />],
    ['Class', classLabel[data.class]],
    ['Action', data.action],
    ['Outcome', outcomeLabel[data.outcome]],
    ['Severity', severityLook[data.severity].label],
    ['Host', data.host && <EntityLink key="h" kind="HOST" value={data.host} />],
    ['User', data.user && <EntityLink key="u" kind="USER" value={data.user} />],
    ['Source', data.source.ip ? <Address key="s" ip={data.source.ip} port={data.source.port} /> : null],
    [
      'Destination',
      data.destination.ip ? <Address key="d" ip={data.destination.ip} port={data.destination.port} /> : null,
    ],
    ['Process', code(data.process)],
    ['Command', code(data.command)],
    ['File', code(data.filePath)],
    ['File hash', data.fileHash && <EntityLink key="f" kind="HASH" value={data.fileHash} />],
    ['Domain', data.domain],
    ['URL', code(data.url)],
    ['Log source', source],
    ['Format', data.format],
    ['Message', data.message],
  ];
  return <Facts rows={rows} />;
}
