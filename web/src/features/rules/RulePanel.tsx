import { useQuery } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import { SearchX, X } from 'lucide-react';
import { alertsText } from '../../nouns/alert/alertsText';
import { JournalList } from '../../nouns/journal/JournalList';
import { withCondition } from '../../nouns/query/condition';
import { RuleFacts } from '../../nouns/rule/RuleFacts';
import { useViewer } from '../../nouns/user/useViewer';
import { IconButton } from '../../ui/Button';
import { Section } from '../../ui/Section';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States';
import { RuleDetailDocument } from './RuleDetail.generated';
import { duration } from './RuleRow';

const standing = { RUNNING: 'It runs', OFF: 'It is off', INACTIVE: 'It does not run', FAILING: 'It fails' };

export function RulePanel({ id, onDismiss }: { id: string; onDismiss(): void }) {
  const { mayAdminister } = useViewer();
  const { data, error, refetch } = useQuery(RuleDetailDocument, { variables: { id } });
  return (
    <aside
      aria-label="Rule"
      className="flex min-h-0 w-[min(36rem,100%)] shrink-0 flex-col border-l border-line bg-surface max-xl:absolute max-xl:inset-y-0 max-xl:right-0 max-xl:z-20 max-xl:shadow-pop"
    >
      <div className="flex items-center justify-between px-4 pt-3 pb-1">
        <h2 className="text-xs font-semibold text-muted">Rule</h2>
        <IconButton icon={X} label="Close the panel (Escape)" onClick={onDismiss} />
      </div>
      <section
        aria-label="About the rule"
        tabIndex={0}
        className="flex min-h-0 grow flex-col overflow-y-auto px-4 pb-4"
      >
        {data?.rule ? (
          <div className="space-y-4">
            <div className="flex flex-wrap items-center gap-3">
              <Link
                to="/rules/$id"
                params={{ id }}
                className="inline-flex h-7 items-center rounded-md border border-line-strong px-2.5 text-xs font-medium hover:bg-hover"
              >
                {mayAdminister ? 'Edit and test' : 'Test'}
              </Link>
              <Link
                to="/alerts"
                search={{ status: 'all', q: withCondition('', 'rule', id) }}
                className="inline-flex h-7 items-center rounded-md border border-line-strong px-2.5 text-xs font-medium whitespace-nowrap hover:bg-hover"
              >
                Its alerts
              </Link>
              <span className="text-xs text-muted tabular-nums">
                {alertsText(data.rule.activity.alertsLastDay)} in 24 h, {data.rule.activity.alerts.toLocaleString('en')}{' '}
                in thirty days
                {data.rule.activity.closed > 0 &&
                  `, ${Math.round((100 * data.rule.activity.falsePositives) / data.rule.activity.closed)} % of the closed ones harmless`}
              </span>
            </div>
            <p className="text-xs">
              <span className="font-medium">{standing[data.rule.health]}</span>
              {data.rule.healthReason && <span className="text-muted">: {data.rule.healthReason}</span>}
              {data.rule.cost && (
                <span className="text-muted">
                  {' '}
                  · {duration(data.rule.cost.nanosecondsPerEvent)} an event of its log source, tried on{' '}
                  {data.rule.cost.tried.toLocaleString('en')} of {data.rule.cost.events.toLocaleString('en')} measured,
                  fired on {data.rule.cost.hits.toLocaleString('en')}
                </span>
              )}
            </p>
            <RuleFacts rule={data.rule} />
            <Section title="History">
              <JournalList entries={data.rule.journal.nodes} more={data.rule.journal.pageInfo.hasNextPage} />
            </Section>
          </div>
        ) : error ? (
          <ErrorState
            title="The rule cannot be loaded"
            error={error}
            onRetry={() => void refetch().catch(() => undefined)}
          />
        ) : data ? (
          <EmptyState icon={SearchX} title="There is no such rule" />
        ) : (
          <div role="status" aria-label="Loading" className="space-y-4">
            <Skeleton className="h-6 w-4/5" />
            <Skeleton className="h-24 w-full" />
            <Skeleton className="h-64 w-full" />
          </div>
        )}
      </section>
    </aside>
  );
}
