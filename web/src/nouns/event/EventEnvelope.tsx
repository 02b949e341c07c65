// The normalised fields of an event, without those that are empty.

import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import type { ReactNode } from 'react';
import { Facts } from '../../ui/Facts';
import { legible } from '../../ui/legible';
import { Address } from '../entity/Address';
import { EntityLink } from '../entity/EntityLink';
import { severityLook } from '../severity/severity';
import { Time } from '../time/Time';
import { type EventEnvelopeFragment, EventEnvelopeFragmentDoc } from './EventEnvelope.generated';
import { classLabel, outcomeLabel } from './event';
import { PivotButtons } from './pivot';

export function EventEnvelope({ event }: { event: FragmentType<EventEnvelopeFragment> }) {
  const { data, complete } = useFragment({ fragment: EventEnvelopeFragmentDoc, from: event });
  if (!complete) return null;
  const source = [data.logSource.product, data.logSource.category, data.logSource.service].filter(Boolean).join(' / ');
  const code = (text: string) =>
    text && <code className="font-mono text-xs break-all whitespace-pre-wrap">{legible(text)}</code>;
  // A field, what stands for it, its name in a query line and its value there.
  const row = (title: string, shown: ReactNode, name: string, value: string): [string, ReactNode] => [
    title,
    shown && (
      <span key={name} className="flex items-start gap-2">
        <span className="min-w-0 break-words">{typeof shown === 'string' ? legible(shown) : shown}</span>
        <PivotButtons name={name} value={value} />
      </span>
    ),
  ];
  const end = ({ ip, port }: { ip: string | null; port: number | null }) => ip && <Address ip={ip} port={port} />;
  const rows: [string, ReactNode][] = [
    ['Happened', <Time key="o" at={data.occurredAt} as="clock" />],
    ['Stored', <Time key="r" at={data.receivedAt} as="clock" />],
    row('Class', classLabel[data.class], 'class', data.class.toLowerCase()),
    row('Action', data.action, 'action', data.action),
    row('Outcome', outcomeLabel[data.outcome], 'outcome', data.outcome.toLowerCase()),
    row('Severity', severityLook[data.severity].label, 'severity', data.severity.toLowerCase()),
    row('Host', data.host && <EntityLink kind="HOST" value={data.host} />, 'host', data.host),
    row('User', data.user && <EntityLink kind="USER" value={data.user} />, 'user', data.user),
    row('Source', end(data.source), 'sourceIp', data.source.ip ?? ''),
    row('Destination', end(data.destination), 'destinationIp', data.destination.ip ?? ''),
    row('Process', code(data.process), 'process', data.process),
    row('Command', code(data.command), 'command', data.command),
    row('File', code(data.filePath), 'filePath', data.filePath),
    row('File hash', data.fileHash && <EntityLink kind="HASH" value={data.fileHash} />, 'fileHash', data.fileHash),
    row('Domain', data.domain, 'domain', data.domain),
    row('URL', code(data.url), 'url', data.url),
    ['Log source', source],
    row('Format', data.format, 'format', data.format),
    row('Message', data.message, 'message', data.message),
  ];
  return <Facts rows={rows} />;
}
