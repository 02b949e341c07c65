// What the alerts that match have most in common.
import { useQuery } from '@apollo/client/react';
import type { AlertField, AlertFilter } from '../../gql/schema';
import { usePulse } from '../../live/pulse';
import { UsersDocument } from '../../nouns/user/Users.generated';
import { ValuePanel } from '../../ui/ValuePanel';
import { AlertValuesDocument } from './AlertValues.generated';
import { valueFields } from './filters';

const countPeriod = 5_000;

const labels: Partial<Record<AlertField, string>> = {
  TITLE: 'Rule',
  SOURCE_IP: 'Source address',
  DESTINATION_IP: 'Destination address',
  FILE_HASH: 'File hash',
};

/** What each is called in a query line. */
const lineNames: Partial<Record<AlertField, string>> = {
  SOURCE_IP: 'sourceIp',
  DESTINATION_IP: 'destinationIp',
  FILE_HASH: 'fileHash',
};

interface AlertValuesProps {
  filter: AlertFilter;
  field: AlertField;
  onField(field: AlertField): void;
  /** The name of the field in a query line, and the value. */
  onValue(name: string, value: string, not: boolean): void;
}

export function AlertValues({ filter, field, onField, onValue }: AlertValuesProps) {
  const { data, previousData, error, refetch } = useQuery(AlertValuesDocument, { variables: { filter, field } });
  const users = useQuery(UsersDocument, { fetchPolicy: 'cache-first', skip: field !== 'ASSIGNEE' });
  usePulse(() => void refetch().catch(() => undefined), countPeriod);
  const people = new Map(users.data?.users.nodes.map((person) => [person.id, person.displayName]));
  const top = (data ?? previousData)?.alertTop;
  return (
    <ValuePanel
      field={field}
      fields={valueFields.map((f) => [f, fieldLabel(f)] as const)}
      values={error ? [] : top?.values.map(({ value, count }) => ({ value, count, label: people.get(value) }))}
      empty={error ? 'They cannot be counted: mend the line, or try again.' : 'No alert has one.'}
      note={!error && top?.isEstimate && 'Counted over the latest 200,000.'}
      onField={onField}
      onValue={(value, not) => onValue(lineNames[field] ?? field.toLowerCase(), value, not)}
    />
  );
}

function fieldLabel(field: AlertField): string {
  return labels[field] ?? field.charAt(0) + field.slice(1).toLowerCase();
}
