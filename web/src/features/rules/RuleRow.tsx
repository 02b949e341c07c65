import { useFragment } from '@apollo/client/react';
import clsx from 'clsx';
import { CircleCheck, CircleDashed, CircleSlash, type LucideIcon, TriangleAlert } from 'lucide-react';
import { memo } from 'react';
import type { RuleHealth } from '../../gql/schema';
import { Techniques } from '../../nouns/rule/Techniques';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { legible } from '../../ui/legible';
import { Switch } from '../../ui/Switch';
import type { Column } from '../../ui/VirtualGrid';
import { RuleRowFragmentDoc } from './RuleRow.generated';
import { useRuleToggle } from './useRuleToggle';

const mid = '@max-[56rem]:hidden';
/** A phone: whether it may fire, how bad, what, and whether it runs. */
const tiny = '@max-[36rem]:hidden';

const harmlessTip = 'How many of the alerts that were closed in thirty days were benign or false positives';
const costTip = 'The mean time that it takes of an event of its log source, over all replicas';

export const columns: readonly Column[] = [
  { id: 'enabled', title: 'Enabled' },
  { id: 'level', title: 'Level', className: '@max-[36rem]:opacity-0' },
  { id: 'title', title: 'Rule' },
  { id: 'state', title: 'State', className: '@max-[36rem]:opacity-0' },
  { id: 'hits', title: 'Alerts, 30 d', className: clsx('text-right', tiny) },
  { id: 'harmless', title: 'False pos.', tip: harmlessTip, className: clsx('text-right', mid) },
  { id: 'cost', title: 'Cost', tip: costTip, className: clsx('text-right', mid) },
  { id: 'source', title: 'Log source', className: mid },
  { id: 'techniques', title: 'Techniques', className: mid },
  { id: 'maturity', title: 'Maturity', className: mid },
];

export const template = clsx(
  'grid-cols-[3.5rem_5.25rem_minmax(12rem,2fr)_minmax(8rem,1.2fr)_5rem_4.5rem_4.5rem_minmax(8rem,1fr)_minmax(7rem,0.8fr)_6rem]',
  '@max-[56rem]:grid-cols-[3.5rem_5.25rem_minmax(10rem,2fr)_minmax(7rem,1fr)_5rem]',
  '@max-[36rem]:grid-cols-[3.5rem_1.75rem_minmax(8rem,1fr)_1rem]',
);

const healthLook: Record<RuleHealth, { label: string; icon: LucideIcon; text: string }> = {
  RUNNING: { label: 'Active', icon: CircleCheck, text: 'text-good' },
  OFF: { label: 'Off', icon: CircleDashed, text: 'text-faint' },
  INACTIVE: { label: 'Inactive', icon: CircleSlash, text: 'text-warn' },
  FAILING: { label: 'Failing', icon: TriangleAlert, text: 'text-critical' },
};

export const RuleRow = memo(function RuleRow({ id, mayToggle }: { id: string; mayToggle: boolean }) {
  const { data, complete } = useFragment({ fragment: RuleRowFragmentDoc, from: { __typename: 'Rule', id } });
  const toggle = useRuleToggle();
  if (!complete) return null;
  const { icon: Icon, text, ...look } = healthLook[data.health];
  const label = data.stage === 'DRAFT' ? 'Draft' : look.label;
  const why = data.health === 'OFF' ? null : data.healthReason;
  const source = [data.logSource.product, data.logSource.category, data.logSource.service].filter(Boolean).join(' / ');
  return (
    <>
      <div role="gridcell" className="flex items-center">
        <Switch
          on={data.enabled}
          disabled={!mayToggle}
          label={`${data.enabled ? 'Disable' : 'Enable'} ${data.title}`}
          onToggle={(next) => void toggle(data, next)}
        />
      </div>
      <div role="gridcell" className="flex items-center">
        <SeverityBadge severity={data.level} compact />
      </div>
      <div role="gridcell" className={clsx('truncate font-medium', !data.enabled && 'text-muted')} title={data.title}>
        {legible(data.title)}
      </div>
      <div role="gridcell" className="flex min-w-0 items-center gap-1.5 text-xs" title={data.healthReason ?? label}>
        <Icon size={13} aria-hidden className={clsx('shrink-0', text)} />
        <span className="truncate @max-[36rem]:sr-only">
          {label}
          {why && <span className="text-muted">: {why}</span>}
        </span>
      </div>
      <div
        role="gridcell"
        className={clsx('text-right tabular-nums', tiny)}
        title={`${data.activity.alertsLastDay.toLocaleString('en')} of them in the last day`}
      >
        {data.activity.alerts > 0 && data.activity.alerts.toLocaleString('en')}
      </div>
      <div role="gridcell" className={clsx('text-right text-muted', mid)} title={harmlessTip}>
        {data.activity.closed > 0 && `${Math.round((100 * data.activity.falsePositives) / data.activity.closed)} %`}
      </div>
      <div role="gridcell" className={clsx('text-right text-muted tabular-nums', mid)} title={costTip}>
        {data.cost && duration(data.cost.nanosecondsPerEvent)}
      </div>
      <div role="gridcell" className={clsx('truncate text-muted', mid)}>
        {source}
      </div>
      <div
        role="gridcell"
        className={clsx('flex h-5 items-center overflow-hidden', mid)}
        title={data.techniques.join(', ')}
      >
        <Techniques ids={data.techniques} short />
      </div>
      <div role="gridcell" className={clsx('truncate text-muted', mid)}>
        {data.status}
      </div>
    </>
  );
});

/** "< 1 ns", "850 ns", "1.2 µs", "3.4 ms". */
export function duration(nanoseconds: number): string {
  if (nanoseconds > 0 && nanoseconds < 0.5) return '< 1 ns';
  if (nanoseconds < 999.5) return `${Math.round(nanoseconds)} ns`;
  if (nanoseconds < 999_500) return `${Number((nanoseconds / 1_000).toPrecision(2))} µs`;
  return `${Number((nanoseconds / 1_000_000).toPrecision(2))} ms`;
}
