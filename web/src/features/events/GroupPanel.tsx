// The commonest values of what matches: of one field, or of up to three together.
// Choosing some narrows the list to them, the minus leaves them out.
import { useQuery } from '@apollo/client/react';
import { Minus, X } from 'lucide-react';
import type { EventField, EventFilter } from '../../gql/schema';
import { Time } from '../../nouns/time/Time';
import { IconButton } from '../../ui/Button';
import { legible } from '../../ui/legible';
import { Select } from '../../ui/Select';
import { Skeleton } from '../../ui/States';
import { ValuePanel } from '../../ui/ValuePanel';
import { EventGroupsDocument, type EventGroupsQuery, EventTopDocument } from './EventShape.generated';
import { groupFields, mostGroupFields } from './filters';

const labels: Record<string, string> = { SOURCE_IP: 'Source address', DESTINATION_IP: 'Destination address' };

export function fieldLabel(field: EventField): string {
  return labels[field] ?? field.charAt(0) + field.slice(1).toLowerCase().replaceAll('_', ' ');
}

/** What events have in common; `value` null: the field is empty. */
interface Condition {
  field: EventField;
  value: string | null;
}

interface GroupPanelProps {
  filter: EventFilter;
  fields: readonly EventField[];
  onFields(fields: readonly EventField[]): void;
  /** `not`: those that have all of it are left out. */
  onValues(conditions: readonly Condition[], not: boolean): void;
}

export function GroupPanel(props: GroupPanelProps) {
  const { fields } = props;
  return fields.length > 1 ? <Together {...props} /> : <One {...props} field={fields[0] ?? 'HOST'} />;
}

function One({ filter, field, fields, onFields, onValues }: GroupPanelProps & { field: EventField }) {
  const { data, previousData, error } = useQuery(EventTopDocument, { variables: { filter, field } });
  const top = (data ?? previousData)?.eventTop;
  return (
    <ValuePanel
      field={field}
      fields={groupFields.map((f) => [f, fieldLabel(f)] as const)}
      values={error ? [] : top?.values}
      empty={error ? mend : 'No event has one.'}
      note={!error && top?.isEstimate && estimate}
      also={<More fields={fields} onFields={onFields} />}
      onField={(next) => onFields([next])}
      onValue={(value, not) => onValues([{ field, value }], not)}
    />
  );
}

const mend = 'They cannot be counted: mend the line, or try again.';
const estimate = 'Counted over the latest 200,000.';

/** Adds a field to those that are counted together. */
function More({ fields, onFields }: Pick<GroupPanelProps, 'fields' | 'onFields'>) {
  if (fields.length >= mostGroupFields) return null;
  const others = groupFields.filter((field) => !fields.includes(field));
  return (
    <Select
      label="Group by another field too"
      value=""
      options={[['', 'and by…'], ...others.map((field) => [field, fieldLabel(field)] as const)]}
      onChange={(field) => field && onFields([...fields, field as EventField])}
    />
  );
}

function Together({ filter, fields, onFields, onValues }: GroupPanelProps) {
  const { data, previousData, error } = useQuery(EventGroupsDocument, { variables: { filter, by: [...fields] } });
  // The groups of other fields are no stand-in: their values would stand under wrong names.
  const known = (data ?? previousData)?.eventGroups;
  const found = known?.groups.every(({ values }) => values.length === fields.length) ? known : undefined;
  return (
    <aside
      aria-label="Values"
      className="flex w-96 shrink-0 flex-col gap-2 overflow-y-auto border-r border-line bg-surface p-3 max-lg:hidden"
    >
      <div className="flex flex-wrap items-center gap-1">
        {fields.map((field, at) => (
          <span key={field} className="inline-flex items-center">
            <Select
              label={at === 0 ? 'Group by' : `Group by, field ${at + 1}`}
              value={field}
              options={groupFields
                .filter((f) => f === field || !fields.includes(f))
                .map((f) => [f, fieldLabel(f)] as const)}
              onChange={(next) => onFields(fields.map((f) => (f === field ? (next as EventField) : f)))}
            />
            <IconButton
              icon={X}
              label={`Do not group by ${fieldLabel(field).toLowerCase()}`}
              className="size-6"
              onClick={() => onFields(fields.filter((f) => f !== field))}
            />
          </span>
        ))}
        <More fields={fields} onFields={onFields} />
      </div>
      {error ? (
        <p className="text-sm text-muted">{mend}</p>
      ) : !found ? (
        <Skeleton className="h-64" />
      ) : found.groups.length === 0 ? (
        <p className="text-sm text-muted">No event matches.</p>
      ) : (
        <>
          <ol aria-label={`Events by ${fields.map(fieldLabel).join(', ')}`} className="space-y-0.5">
            {found.groups.map((group) => (
              <GroupLine
                key={JSON.stringify(group.values)}
                group={group}
                most={found.groups[0]?.count ?? 1}
                onChoose={(not) => onValues(conditionsOf(fields, group.values), not)}
              />
            ))}
          </ol>
          {found.isEstimate && <p className="text-2xs text-muted">{estimate}</p>}
        </>
      )}
    </aside>
  );
}

/** What a group has in common. */
function conditionsOf(fields: readonly EventField[], values: readonly (string | null)[]): Condition[] {
  return fields.map((field, at) => ({ field, value: values[at] ?? null }));
}

interface GroupLineProps {
  group: EventGroupsQuery['eventGroups']['groups'][number];
  /** How many the largest group has. */
  most: number;
  onChoose(not: boolean): void;
}

function GroupLine({ group, most, onChoose }: GroupLineProps) {
  const values = group.values.map((value) => (value === null ? 'none' : legible(value)));
  const named = values.join(', ');
  return (
    <li className="flex items-start gap-1">
      <div className="min-w-0 grow">
        <button
          type="button"
          title={`Show only ${named}`}
          onClick={() => onChoose(false)}
          className="relative flex h-7 w-full items-center gap-2 rounded px-2 text-left text-sm hover:outline hover:outline-line-strong"
        >
          <span
            aria-hidden
            className="absolute inset-y-0 left-0 rounded bg-accent-soft"
            style={{ width: `${(group.count / most) * 100}%` }}
          />
          {group.values.map((value, at) => (
            <span
              // biome-ignore lint/suspicious/noArrayIndexKey: the place says which field it is of
              key={at}
              className={`relative min-w-0 flex-1 truncate ${value === null ? 'text-muted italic' : ''}`}
            >
              {values[at]}
            </span>
          ))}
          <span className="relative shrink-0 text-xs text-muted tabular-nums">{group.count.toLocaleString('en')}</span>
        </button>
        <p className="px-2 text-2xs text-muted">
          First <Time at={group.firstSeen} /> · last <Time at={group.lastSeen} />
        </p>
      </div>
      <IconButton icon={Minus} label={`Leave out ${named}`} className="mt-0.5 size-6" onClick={() => onChoose(true)} />
    </li>
  );
}
