// The queue's filters, with how many alerts each would show. The server counts.
import { useQuery } from '@apollo/client/react';
import clsx from 'clsx';
import type { ReactNode, RefObject } from 'react';
import { usePulse } from '../../live/pulse';
import { statuses, statusLook } from '../../nouns/alert/alert';
import { useQueryLine } from '../../nouns/query/useQueryLine';
import { severities, severityLook } from '../../nouns/severity/severity';
import { RangeSelect } from '../../nouns/time/RangeSelect';
import { Chip } from '../../ui/Chip';
import { QueryBox } from '../../ui/QueryBox';
import { AlertFacetsDocument } from './AlertFacets.generated';
import { type AlertFilters, apiFilter, toggle } from './filters';

const countPeriod = 2_000;

interface AlertFacetsProps {
  filters: AlertFilters;
  /** `typed`: the query line changed under somebody's fingers. */
  onChange(filters: AlertFilters, typed?: boolean): void;
  searchRef: RefObject<HTMLInputElement>;
  className?: string;
  children?: ReactNode;
}

export function AlertFacets({ filters, onChange, searchRef, className, children }: AlertFacetsProps) {
  const variables = { severities: apiFilter(filters, 'severities'), statuses: apiFilter(filters, 'statuses') };
  const { data, previousData, refetch } = useQuery(AlertFacetsDocument, { variables });
  usePulse(() => void refetch().catch(() => undefined), countPeriod);
  const line = useQueryLine('ALERTS', filters.query);
  const counts = data ?? previousData;
  const bySeverity = new Map(counts?.severities.bySeverity.map((c) => [c.severity, c.count]));
  const byStatus = new Map(counts?.statuses.byStatus.map((c) => [c.status, c.count]));
  return (
    <div
      className={clsx(
        'flex flex-wrap items-center gap-x-4 gap-y-2 border-b border-line bg-canvas px-3 py-2',
        className,
      )}
    >
      <fieldset className="min-w-0 max-sm:w-full">
        <legend className="sr-only">Severity</legend>
        <div className="relative flex gap-1 max-sm:overflow-x-auto sm:flex-wrap">
          {severities.map((severity) => {
            const { label, icon: Icon, text } = severityLook[severity];
            const narrowed = filters.severities.length < severities.length;
            return (
              <Chip
                key={severity}
                on={narrowed && filters.severities.includes(severity)}
                count={bySeverity.get(severity)}
                onToggle={() => onChange({ ...filters, severities: toggle(filters.severities, severity, severities) })}
              >
                <Icon size={13} aria-hidden className={text} />
                {label}
              </Chip>
            );
          })}
        </div>
      </fieldset>
      <fieldset className="min-w-0 max-sm:w-full">
        <legend className="sr-only">Status</legend>
        <div className="relative flex gap-1 max-sm:overflow-x-auto sm:flex-wrap">
          {statuses.map((status) => {
            const { label, icon: Icon, text } = statusLook[status];
            return (
              <Chip
                key={status}
                on={filters.statuses.includes(status)}
                count={byStatus.get(status)}
                onToggle={() => onChange({ ...filters, statuses: switched(filters.statuses, status) })}
              >
                <Icon size={13} aria-hidden className={clsx(text)} />
                {label}
              </Chip>
            );
          })}
        </div>
      </fieldset>
      <RangeSelect range={filters.range} anyTime="Any time" onChange={(range) => onChange({ ...filters, range })} />
      <QueryBox
        label="Search words, or host:ws-01 user:ana count:>10"
        value={filters.query}
        line={line}
        onChange={(query) => onChange({ ...filters, query }, true)}
        inputRef={searchRef}
      />
      {children}
    </div>
  );
}

function switched<T>(chosen: readonly T[], value: T): readonly T[] {
  return chosen.includes(value) ? chosen.filter((v) => v !== value) : [...chosen, value];
}
