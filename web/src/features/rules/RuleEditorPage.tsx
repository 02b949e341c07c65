// A rule is written: checked while it is typed, tried on events, stored.
import { useQuery } from '@apollo/client/react';
import { useBlocker, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { SearchX } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useExplainedChange } from '../../nouns/journal/useExplainedChange';
import { useViewer } from '../../nouns/user/useViewer';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/States';
import { Tabs } from '../../ui/Tabs';
import { RuleBacktest } from './RuleBacktest';
import {
  RuleCheckDocument,
  RuleCreateDocument,
  RuleDraftDocument,
  type RuleDraftQuery,
  RuleUpdateDocument,
} from './RuleEditor.generated';
import { RuleLive } from './RuleLive';
import { RuleTest } from './RuleTest';
import { RuleVersions } from './RuleVersions';
import { template } from './sigma';
import type { Compared, EditorSearch } from './versions';
import { YamlEditor } from './YamlEditor';

const typingPause = 400;

export function RuleEditorPage() {
  const { id } = useParams({ strict: false });
  const { data, error, refetch } = useQuery(RuleDraftDocument, { variables: { id: id ?? '' }, skip: !id });
  const reload = () => void refetch().catch(() => undefined);
  if (!id) return <Editor key="new" rule={null} onSaved={() => undefined} />;
  if (data?.rule) return <Editor key={data.rule.id} rule={data.rule} onSaved={reload} />;
  if (error) return <ErrorState title="The rule cannot be loaded" error={error} onRetry={reload} />;
  return data ? <EmptyState icon={SearchX} title="There is no such rule" /> : <SkeletonRows />;
}

interface EditorProps {
  rule: RuleDraftQuery['rule'];
  onSaved(): void;
}

type Tab = 'test' | 'live' | 'backtest' | 'versions';

function Editor({ rule, onSaved }: EditorProps) {
  const change = useExplainedChange();
  const navigate = useNavigate();
  const { mayAdminister } = useViewer();
  const [text, setText] = useState(rule?.source ?? template);
  const [checked, setChecked] = useState(text);
  const search: EditorSearch = useSearch({ strict: false });
  const tab: Tab = search.tab && (rule || search.tab !== 'versions') ? search.tab : 'test';
  // Read at the moment of leaving: it is set and left in one go, with no drawing between.
  const leaving = useRef(false);
  useEffect(() => {
    const timer = setTimeout(() => setChecked(text), typingPause);
    return () => clearTimeout(timer);
  }, [text]);
  const { data, previousData } = useQuery(RuleCheckDocument, {
    variables: { source: checked },
    // Each text that was ever typed would stay in the cache.
    fetchPolicy: 'no-cache',
  });
  const check = (data ?? previousData)?.ruleCheck;
  const stored = rule?.source ?? template;
  const dirty = text !== stored;
  // Somebody else has stored a version: who has written nothing sees that one.
  const before = useRef(stored);
  useEffect(() => {
    const was = before.current;
    before.current = stored;
    setText((text) => (text === was ? stored : text));
  }, [stored]);
  const go = (next: EditorSearch) => {
    if (rule) void navigate({ to: '/rules/$id', params: { id: rule.id }, search: next });
    else void navigate({ to: '/rules/new', search: next });
  };
  useBlocker({
    // Another tab of the same rule takes nothing away.
    shouldBlockFn: ({ current, next }) =>
      dirty &&
      !leaving.current &&
      current.pathname !== next.pathname &&
      !confirm('What you have written is not stored. Leave it?'),
    enableBeforeUnload: () => dirty && !leaving.current,
  });
  // Refused or not, what there is now is read again: it can then be compared, and decided on.
  const store = async (source: string) => {
    if (!rule) return;
    const done = await change(RuleUpdateDocument, { input: { id: rule.id, expectedVersion: rule.version, source } });
    if (done) notify('info', 'Stored as a new version. Every replica follows within a second.');
    onSaved();
  };
  const save = async () => {
    if (rule) {
      await store(text);
      return;
    }
    const done = await change(RuleCreateDocument, { input: { source: text, enabled: false } });
    if (!done?.rule) return;
    leaving.current = true;
    notify('info', 'Stored, and disabled until you enable it.');
    const { id } = done.rule;
    void navigate({ to: '/rules', search: { rule: id } });
  };
  const source = check && [check.logSource.product, check.logSource.category, check.logSource.service];
  return (
    <>
      <div className="flex flex-wrap items-center gap-3 border-b border-line bg-canvas px-3 py-2">
        <h1 className="min-w-0 truncate text-sm font-semibold">{legible(rule ? rule.title : 'New rule')}</h1>
        {rule && <span className="text-xs text-muted">version {rule.version}</span>}
        {dirty && <span className="text-xs text-warn">not stored</span>}
        <span role="status" className="ml-auto text-xs text-muted">
          {check?.problem
            ? `Line ${check.problem.line || 1}: ${check.problem.message}`
            : check &&
              `${check.state === 'ACTIVE' ? 'Would run' : 'Would not run'} on ${source?.filter(Boolean).join(' / ') || 'everything'}`}
        </span>
        {mayAdminister && (
          <Button look="primary" disabled={!dirty || !!check?.problem} onClick={() => void save()}>
            {rule ? 'Store as a new version' : 'Store rule'}
          </Button>
        )}
      </div>
      {check?.state === 'INACTIVE' && check.stateReason && (
        <Banner tone="warn">It is right but does not run: {check.stateReason}</Banner>
      )}
      {!rule && check?.existing && (
        <Banner tone="warn">There is a rule with this id already: {legible(check.existing.title)}.</Banner>
      )}
      <div className="flex min-h-0 grow max-lg:flex-col max-lg:overflow-y-auto">
        <div className="flex min-h-80 min-w-0 grow flex-col border-line lg:border-r">
          <YamlEditor text={text} problem={check?.problem ?? null} readOnly={!mayAdminister} onChange={setText} />
        </div>
        <div className="flex min-h-96 w-full shrink-0 flex-col bg-surface lg:w-[34rem]">
          <Tabs<Tab>
            label="About the rule"
            tabs={[
              { id: 'test', label: 'Test' },
              { id: 'live', label: 'Live' },
              { id: 'backtest', label: 'Backtest' },
              ...(rule ? [{ id: 'versions' as const, label: 'Versions', count: rule.versions.nodes.length }] : []),
            ]}
            current={tab}
            onChange={(tab) => go(tab === 'test' ? {} : { tab })}
          >
            {tab === 'test' && <RuleTest source={text} broken={!!check?.problem} />}
            {tab === 'live' && <RuleLive source={checked} broken={!!check?.problem} />}
            {tab === 'backtest' && (
              <RuleBacktest
                source={text}
                broken={!!check?.problem}
                job={search.job ?? null}
                onJob={(job) => go({ tab: 'backtest', job })}
              />
            )}
            {tab === 'versions' && rule && (
              <RuleVersions
                now={text}
                versions={rule.versions.nodes}
                more={rule.versions.pageInfo.hasNextPage}
                compared={comparedOf(search)}
                onCompare={(compared) => go({ tab: 'versions', ...compared })}
                onTake={mayAdminister ? setText : undefined}
                onRestore={mayAdminister ? ({ source }) => store(source) : undefined}
              />
            )}
          </Tabs>
        </div>
      </div>
    </>
  );
}

function comparedOf({ from, to }: EditorSearch): Compared | null {
  return from && to ? { from, to } : null;
}
