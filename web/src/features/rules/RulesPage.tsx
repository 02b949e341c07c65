// What is looked for: every rule, whether it runs, and if not, why.
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { BookOpen, Plus, Upload } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import { useQueryLine } from '../../nouns/query/useQueryLine';
import { useTyping } from '../../nouns/query/useTyping';
import { severities, severityLook } from '../../nouns/severity/severity';
import { useViewer } from '../../nouns/user/useViewer';
import { Button } from '../../ui/Button';
import { Command } from '../../ui/Command';
import { useKeys } from '../../ui/keys';
import { QueryBox } from '../../ui/QueryBox';
import { Select } from '../../ui/Select';
import { EmptyState, ErrorState, NoMatch, SkeletonRows, StaleBanner } from '../../ui/States';
import { VirtualGrid } from '../../ui/VirtualGrid';
import { apiFilter, apiOrder, type RuleSearch } from './filters';
import { ImportDialog } from './ImportDialog';
import { RulePanel } from './RulePanel';
import { columns, RuleRow, template } from './RuleRow';
import { useRuleList } from './useRuleList';

const route = getRouteApi('/shell/rules');

export function RulesPage() {
  const search: RuleSearch = route.useSearch();
  const navigate = route.useNavigate();
  const { mayAdminister } = useViewer();
  const [active, setActive] = useState<string | null>(search.rule ?? null);
  const searchRef = useRef<HTMLInputElement>(null);
  const filter = useMemo(() => apiFilter(search), [search]);
  const list = useRuleList(filter, apiOrder(search));
  const line = useQueryLine('RULES', search.q ?? '');
  const go = useNavigate();
  const [importing, setImporting] = useState(false);
  const open = search.rule ?? null;

  // Each change is a step that going back undoes.
  const change = (next: Partial<RuleSearch>, replace = false) =>
    void navigate({ search: { ...search, ...next }, replace });
  const typing = useTyping();
  const setQuery = (q: string | undefined) => {
    const after = { ...search, q };
    change({ q }, typing(search, after));
  };
  const activate = (id: string) => {
    setActive(id);
    if (open) change({ rule: id }, true);
  };
  useKeys({
    '/': () => searchRef.current?.focus(),
    Escape: open ? () => change({ rule: undefined }) : active ? () => setActive(null) : undefined,
  });
  const narrowed = Boolean(search.q || search.level || search.state || search.stage || search.order);

  return (
    <>
      <h1 className="sr-only">Rules</h1>
      <div className="flex flex-wrap items-center gap-2 border-b border-line bg-canvas px-3 py-2">
        <Select
          label="Level"
          value={search.level ?? ''}
          onChange={(value) => change({ level: value || undefined })}
          options={[['', 'Any level'], ...severities.map((s) => [s.toLowerCase(), severityLook[s].label] as const)]}
        />
        <Select
          label="State"
          value={search.state ?? ''}
          onChange={(value) => change({ state: value || undefined })}
          options={[
            ['', 'Any state'],
            ['active', 'Active'],
            ['inactive', 'Inactive'],
            ['invalid', 'Invalid'],
          ]}
        />
        <Select
          label="Stage"
          value={search.stage ?? ''}
          onChange={(value) => change({ stage: value || undefined })}
          options={[
            ['', 'Any stage'],
            ['draft', 'Drafts'],
            ['enabled', 'Enabled'],
            ['disabled', 'Disabled'],
          ]}
        />
        <Select
          label="Order"
          value={search.order ?? ''}
          onChange={(value) => change({ order: value || undefined })}
          options={[
            ['', 'By title'],
            ['cost', 'Slowest first'],
            ['alerts', 'Most alerts first'],
            ['false_positives', 'Most harmless first'],
          ]}
        />
        <QueryBox
          label="Search words, or technique:T1059 product:windows"
          line={line}
          value={search.q ?? ''}
          onChange={(q) => setQuery(q || undefined)}
          inputRef={searchRef}
        />
        <span role="status" className="text-xs text-muted tabular-nums">
          {!list.loading && `${list.total.toLocaleString('en')} ${list.total === 1 ? 'rule' : 'rules'}`}
        </span>
        {mayAdminister && (
          <>
            <Button icon={Upload} onClick={() => setImporting(true)}>
              Import
            </Button>
            <Button icon={Plus} look="primary" onClick={() => void go({ to: '/rules/new' })}>
              New rule
            </Button>
          </>
        )}
      </div>
      {list.error != null && list.ids.length > 0 && (
        <StaleBanner error={list.error} what="The list" onRetry={list.retry} />
      )}
      <div className="relative flex min-h-0 grow">
        <div className="flex min-w-0 grow flex-col">
          {list.error && list.ids.length === 0 ? (
            <ErrorState title="The rules cannot be loaded" error={list.error} onRetry={list.retry} />
          ) : list.loading && list.ids.length === 0 ? (
            <SkeletonRows />
          ) : list.ids.length === 0 ? (
            narrowed ? (
              <NoMatch title="No rule matches" all="Show all rules" onAll={() => void navigate({ search: {} })} />
            ) : (
              <EmptyState icon={BookOpen} title="There are no rules">
                <p>Import Sigma rules from a folder or an archive:</p>
                <Command text="secmon rules import sigma-rules.zip" />
              </EmptyState>
            )
          ) : (
            <VirtualGrid
              label="Rules"
              columns={columns}
              template={template}
              ids={list.ids}
              total={list.total}
              activeId={active}
              onActivate={activate}
              onOpen={(id) => change({ rule: id }, open !== null)}
              onEnd={list.loadMore}
              renderRow={(id) => <RuleRow id={id} mayToggle={mayAdminister} />}
            />
          )}
        </div>
        {importing && <ImportDialog onClose={() => setImporting(false)} onImported={list.refresh} />}
        {open && <RulePanel key={open} id={open} onDismiss={() => change({ rule: undefined })} />}
      </div>
    </>
  );
}
