// The matrix of MITRE ATT&CK: what is watched, and what has fired.
import { useQuery } from '@apollo/client/react';
import { getRouteApi, Link } from '@tanstack/react-router';
import clsx from 'clsx';
import { type KeyboardEvent, useMemo, useRef, useState } from 'react';
import { usePulse } from '../../live/pulse';
import { alertsText } from '../../nouns/alert/alertsText';
import { RangeSelect } from '../../nouns/time/RangeSelect';
import { boundsOf } from '../../nouns/time/range';
import { useKeys } from '../../ui/keys';
import { Select } from '../../ui/Select';
import { ErrorState, SkeletonRows } from '../../ui/States';
import { useEvery } from '../../ui/useEvery';
import { AttackDocument, type AttackQuery } from './Attack.generated';
import type { AttackSearch } from './filters';
import { TechniquePanel } from './TechniquePanel';

type Coverage = AttackQuery['attackCoverage'];
type Tactic = Coverage['tactics'][number];
type Technique = Tactic['techniques'][number];

const route = getRouteApi('/shell/attack');
const refreshPeriod = 10_000;
const rulesPeriod = 30_000;

export function AttackPage() {
  const search: AttackSearch = route.useSearch();
  const navigate = route.useNavigate();
  const since = search.since ?? '30d';
  const from = useMemo(() => new Date(boundsOf({ since }, '30d', Date.now()).from).toISOString(), [since]);
  const { data, previousData, error, refetch } = useQuery(AttackDocument, { variables: { since: from } });
  const look = () => void refetch().catch(() => undefined);
  // Alerts tell that they have changed; rules do not.
  usePulse(look, refreshPeriod);
  useEvery(rulesPeriod, look);
  const coverage = (data ?? previousData)?.attackCoverage;
  const change = (next: Partial<AttackSearch>) => void navigate({ search: { ...search, ...next } });
  useKeys({ Escape: search.technique ? () => change({ technique: undefined }) : undefined });
  const all = new Map(coverage?.tactics.flatMap((t) => t.techniques).map((t) => [t.id, t]));
  const counted = [...all.values()].reduce((sum, t) => sum + t.alerts, 0);
  const watched = [...all.values()].filter((t) => t.enabled > 0).length;
  const open = search.technique ? all.get(search.technique) : undefined;
  return (
    <>
      <div className="flex flex-wrap items-center gap-3 border-b border-line bg-canvas px-3 py-2">
        <h1 className="sr-only">ATT&CK</h1>
        <Select
          label="Colour by"
          value={search.show ?? ''}
          onChange={(value) => change({ show: value === 'coverage' ? 'coverage' : undefined })}
          options={[
            ['', 'Alerts'],
            ['coverage', 'Rules that run'],
          ]}
        />
        <RangeSelect range={search} otherwise="30d" onChange={(range) => change({ since: range.since })} />
        {coverage && (
          <p role="status" className="text-xs text-muted tabular-nums">
            {watched} of {all.size} techniques are watched by rules that run
            {counted === 0 && '; none has fired in this time'}
          </p>
        )}
        <p className="ml-auto text-2xs text-faint">MITRE ATT&CK® v{coverage?.version ?? ''} for Enterprise</p>
      </div>
      <div className="relative flex min-h-0 grow">
        {error && !coverage ? (
          <ErrorState title="The matrix cannot be loaded" error={error} onRetry={look} />
        ) : !coverage ? (
          <SkeletonRows />
        ) : (
          <div className="flex min-w-0 grow flex-col">
            <Matrix
              tactics={coverage.tactics}
              show={search.show ?? 'alerts'}
              open={search.technique ?? null}
              onOpen={(technique) => change({ technique })}
            />
            {coverage.other.length > 0 && (
              <p className="border-t border-line px-3 py-1.5 text-xs text-muted">
                Named by rules and not in this version of the matrix:{' '}
                {coverage.other.map((t) => (
                  <Link
                    key={t.id}
                    to="/rules"
                    search={{ q: `technique:${t.id}` }}
                    className="mr-2 text-accent underline underline-offset-2"
                  >
                    {t.id} ({t.rules})
                  </Link>
                ))}
              </p>
            )}
          </div>
        )}
        {search.technique && (
          <TechniquePanel
            key={search.technique}
            id={search.technique}
            coverage={open}
            since={since}
            onDismiss={() => change({ technique: undefined })}
          />
        )}
      </div>
    </>
  );
}

interface MatrixProps {
  tactics: readonly Tactic[];
  show: 'alerts' | 'coverage';
  open: string | null;
  onOpen(id: string): void;
}

/** One cell has the focus at a time; arrow keys move it. */
function Matrix({ tactics, show, open, onOpen }: MatrixProps) {
  const [at, setAt] = useState<readonly [column: number, row: number]>([0, 0]);
  const box = useRef<HTMLDivElement>(null);
  const rows = Math.max(...tactics.map((t) => t.techniques.length));
  const most = Math.max(
    1,
    ...tactics.flatMap((t) => t.techniques.map((c) => (show === 'alerts' ? c.alerts : c.enabled))),
  );
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (!step) return;
    const column = Math.max(0, Math.min(tactics.length - 1, at[0] + (step[0] ?? 0)));
    const last = (tactics[column]?.techniques.length ?? 1) - 1;
    const row = Math.max(0, Math.min(last, at[1] + (step[1] ?? 0)));
    setAt([column, row]);
    box.current?.querySelector<HTMLElement>(`[data-at="${column}-${row}"]`)?.focus();
    event.preventDefault();
  };
  return (
    <div
      ref={box}
      role="grid"
      aria-label="ATT&CK matrix"
      aria-rowcount={rows + 1}
      aria-colcount={tactics.length}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      className="min-h-0 grow overflow-auto bg-canvas p-2"
    >
      <div className="flex w-max min-w-full flex-col gap-px">
        <div role="row" className="sticky top-0 z-10 flex gap-1 bg-canvas pb-1">
          {tactics.map((tactic) => (
            <div key={tactic.id} role="columnheader" className="w-36 grow basis-36 text-2xs leading-4">
              <div className="truncate font-semibold" title={tactic.name}>
                {tactic.name}
              </div>
              <div className="text-muted tabular-nums">
                {tactic.techniques.filter((t) => t.enabled > 0).length}/{tactic.techniques.length}
              </div>
            </div>
          ))}
        </div>
        {Array.from({ length: rows }, (_, row) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name
          <div key={row} role="row" className="flex gap-1">
            {tactics.map((tactic, column) => {
              const technique = tactic.techniques[row];
              return (
                <div key={tactic.id} role="gridcell" className="w-36 grow basis-36">
                  {technique && (
                    <Cell
                      technique={technique}
                      show={show}
                      strength={(show === 'alerts' ? technique.alerts : technique.enabled) / most}
                      open={open === technique.id}
                      at={`${column}-${row}`}
                      focusable={at[0] === column && at[1] === row}
                      onOpen={() => {
                        setAt([column, row]);
                        onOpen(technique.id);
                      }}
                    />
                  )}
                </div>
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}

interface CellProps {
  technique: Technique;
  show: 'alerts' | 'coverage';
  /** From 0 to 1. */
  strength: number;
  open: boolean;
  at: string;
  focusable: boolean;
  onOpen(): void;
}

function Cell({ technique, show, strength, open, at, focusable, onOpen }: CellProps) {
  const { id, name, rules, enabled, alerts } = technique;
  const told = `${id} ${name}: ${alertsText(alerts)}, ${enabled} of ${rules} rules run`;
  return (
    <button
      type="button"
      data-at={at}
      tabIndex={focusable ? 0 : -1}
      title={told}
      onClick={onOpen}
      className={clsx(
        'relative flex h-[3.125rem] w-full flex-col justify-center overflow-hidden rounded border px-1.5 text-left text-2xs leading-3.5',
        open ? 'border-accent' : enabled > 0 ? 'border-line-strong' : 'border-dashed border-line',
        rules === 0 ? 'text-faint' : 'text-ink',
      )}
    >
      <span
        aria-hidden
        className={clsx('absolute inset-0', show === 'alerts' ? 'bg-high-soft' : 'bg-good-soft')}
        style={{ opacity: strength > 0 ? 0.35 + 0.65 * Math.sqrt(strength) : 0 }}
      />
      <span
        aria-hidden
        className={clsx('absolute inset-y-0 left-0', show === 'alerts' ? 'bg-high' : 'bg-good')}
        style={{ width: strength > 0 ? 2 + 4 * Math.sqrt(strength) : 0 }}
      />
      <span className="relative line-clamp-2 pl-1 [overflow-wrap:anywhere]">{name}</span>
      <span className="relative flex gap-2 pl-1 text-muted tabular-nums">
        <span className="font-mono">{id}</span>
        {show === 'alerts'
          ? alerts > 0 && (
              <span>
                {alerts.toLocaleString('en')}
                <span className="sr-only"> alerts</span>
              </span>
            )
          : rules > 0 && (
              <span>
                {enabled}/{rules}
                <span className="sr-only"> rules run</span>
              </span>
            )}
      </span>
    </button>
  );
}
