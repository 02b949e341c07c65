// The filters of sources as they stand in the URL, and as the API takes them.
import type { SourceFilter } from '../../gql/schema';

/** What records are sent by. */
export const protocols: readonly (readonly [string, string])[] = [
  ['json', 'JSON'],
  ['elastic', 'Elasticsearch'],
  ['splunk', 'Splunk HEC'],
  ['otlp', 'OpenTelemetry'],
  ['aws', 'AWS'],
  ['syslog', 'Syslog'],
  ['webhook', 'Webhook'],
];

export interface SourceSearch {
  /** Only those that are silent. */
  silent?: 'yes';
  protocol?: string;
  format?: string;
  /** The source that is open beside the list. */
  source?: string;
}

export function readSearch(raw: Record<string, unknown>): SourceSearch {
  const search: SourceSearch = {
    silent: raw.silent === 'yes' ? 'yes' : undefined,
    protocol: protocols.find(([protocol]) => protocol === raw.protocol)?.[0],
    format: text(raw.format),
    source: text(raw.source),
  };
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}

function text(raw: unknown): string | undefined {
  return typeof raw === 'string' || typeof raw === 'number' ? String(raw).slice(0, 200) || undefined : undefined;
}

export function apiFilter({ silent, protocol, format }: SourceSearch): SourceFilter {
  return { ...(silent && { silent: true }), ...(protocol && { protocol }), ...(format && { format }) };
}

export function protocolLabel(protocol: string): string {
  return protocols.find(([each]) => each === protocol)?.[1] ?? protocol;
}
