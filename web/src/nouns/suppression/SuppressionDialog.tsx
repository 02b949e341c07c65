// Writing a suppression: which findings raise no alert, why, until when; and what
// it would have hidden, before it is made.
import { useQuery } from '@apollo/client/react';
import { X } from 'lucide-react';
import { type FormEvent, useDeferredValue, useId, useState } from 'react';
import { Button, IconButton } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { TextArea, TextField } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { QueryBox } from '../../ui/QueryBox';
import { ErrorState, Skeleton } from '../../ui/States';
import { useExplainedChange } from '../journal/useExplainedChange';
import { useQueryLine } from '../query/useQueryLine';
import {
  type AlertFacts,
  type Condition,
  conditionOf,
  conditionText,
  type Draft,
  draftOf,
  emptyDraft,
  endOf,
  filterOf,
  fromLocalInput,
  localInput,
  nameOf,
  type Offer,
  offersOf,
  presets,
  type RuleName,
  saysSomething,
} from './draft';
import { Preview } from './Preview';
import {
  SuppressionAlertDocument,
  SuppressionCreateDocument,
  type SuppressionFactsFragment,
  SuppressionRulesDocument,
  SuppressionUpdateDocument,
} from './Suppression.generated';

interface EditorProps {
  /** What it is made of: a suppression that is there, else a first draft. */
  draft: Draft;
  edited?: Pick<SuppressionFactsFragment, 'id' | 'version' | 'until'>;
  alert?: AlertFacts;
  onDone(): void;
  onCancel(): void;
}

/** Suppressing what an alert is about: its rule, and what of it is chosen. */
export function SuppressAlertDialog({ id, onDone, onCancel }: { id: string; onDone(): void; onCancel(): void }) {
  const { data, error, refetch } = useQuery(SuppressionAlertDocument, { variables: { id } });
  const alert = data?.alert;
  if (!alert) {
    return (
      <Dialog title="Suppress" onClose={onCancel}>
        {error ? (
          <ErrorState
            title="The alert cannot be loaded"
            error={error}
            onRetry={() => void refetch().catch(() => undefined)}
          />
        ) : data ? (
          <p>The alert is no longer there.</p>
        ) : (
          <Skeleton className="h-64" />
        )}
      </Dialog>
    );
  }
  const facts: AlertFacts = {
    title: alert.title,
    rule: alert.rule,
    host: alert.host,
    user: alert.user,
    process: alert.process,
    sourceIp: alert.source.ip,
    command: alert.latestEvent.nodes[0]?.event?.command ?? '',
  };
  return (
    <Dialog title="Suppress" onClose={onCancel}>
      <Editor
        alert={facts}
        draft={{ ...draftOf(facts, firstChoice), name: nameOf(facts), until: endOf('30d', Date.now()) }}
        onDone={onDone}
        onCancel={onCancel}
      />
    </Dialog>
  );
}

/** What is chosen at first: neither everything of the rule, nor this one event alone. */
const firstChoice: ReadonlySet<Offer['id']> = new Set(['host', 'user'] as const);

/** A new suppression, or another form of one that is there. */
export function SuppressionDialog(props: { edited?: SuppressionFactsFragment; onDone(): void; onCancel(): void }) {
  const { edited, onDone, onCancel } = props;
  const draft: Draft = edited
    ? {
        name: edited.name,
        reason: edited.reason,
        rules: edited.rules,
        alert: conditionOf(edited.alertFilter),
        event: conditionOf(edited.eventFilter),
        until: edited.until ?? '',
      }
    : { ...emptyDraft, until: endOf('30d', Date.now()) };
  return (
    <Dialog title={edited ? 'Edit the suppression' : 'New suppression'} onClose={onCancel}>
      <Editor draft={draft} edited={edited} onDone={onDone} onCancel={onCancel} />
    </Dialog>
  );
}

function Editor({ draft: first, edited, alert, onDone, onCancel }: EditorProps) {
  const change = useExplainedChange();
  const [draft, setDraft] = useState(first);
  const [chosen, setChosen] = useState<ReadonlySet<Offer['id']>>(firstChoice);
  const [busy, setBusy] = useState(false);
  const set = (part: Partial<Draft>) => setDraft((was) => ({ ...was, ...part }));
  const choose = (offer: Offer['id']) => {
    const next = new Set(chosen);
    if (!next.delete(offer)) next.add(offer);
    setChosen(next);
    if (alert) setDraft(draftOf(alert, next, draft));
  };
  const previewed = useDeferredValue(draft);
  const ready = draft.name.trim() !== '' && draft.reason.trim() !== '' && saysSomething(draft);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    const input = {
      name: draft.name.trim(),
      reason: draft.reason.trim(),
      rules: draft.rules.map((rule) => rule.id),
      alertFilter: filterOf(draft.alert),
      eventFilter: filterOf(draft.event),
    };
    const until = draft.until || null;
    const done = edited
      ? await change(SuppressionUpdateDocument, {
          // An end that stays is not sent: one that is over cannot be set again.
          input: { id: edited.id, expectedVersion: edited.version, ...input, ...(until !== edited.until && { until }) },
        })
      : await change(SuppressionCreateDocument, { input: { ...input, until } });
    setBusy(false);
    if (!done) return;
    notify('info', edited ? 'The suppression is saved.' : 'From now on these findings raise no alert.');
    onDone();
  };
  return (
    <form onSubmit={send} className="space-y-4">
      {alert && <Choices alert={alert} chosen={chosen} onChoose={choose} />}
      <Rules rules={draft.rules} onChange={(rules) => set({ rules })} />
      <Line
        label="Only alerts that match"
        noun="ALERTS"
        condition={draft.alert}
        onChange={(alert) => set({ alert })}
        hint="A query line, for example host:build-* user:svc_deploy"
      />
      <Line
        label="Only events that match"
        noun="EVENTS"
        condition={draft.event}
        onChange={(event) => set({ event })}
        hint="For example command:rsync"
      />
      <Preview draft={previewed} />
      <TextField
        label="Name"
        required
        maxLength={100}
        value={draft.name}
        onChange={(event) => set({ name: event.target.value })}
      />
      <TextArea
        label="Why?"
        required
        maxLength={2_000}
        hint="Whoever finds it later has to be able to tell whether it is still right."
        value={draft.reason}
        onChange={(event) => set({ reason: event.target.value })}
      />
      <Until until={draft.until} onChange={(until) => set({ until })} />
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" look="primary" disabled={!ready || busy}>
          {edited ? 'Save' : 'Suppress'}
        </Button>
      </div>
    </form>
  );
}

function Choices(props: { alert: AlertFacts; chosen: ReadonlySet<Offer['id']>; onChoose(id: Offer['id']): void }) {
  return (
    <fieldset>
      <legend className="mb-1 text-xs font-medium">Findings of this rule with the same</legend>
      {offersOf(props.alert).map((offer) => (
        <label key={offer.id} className="flex min-h-7 items-center gap-2 py-0.5">
          <input
            type="checkbox"
            checked={props.chosen.has(offer.id)}
            onChange={() => props.onChoose(offer.id)}
            className="accent-accent"
          />
          <span className="w-16 shrink-0 text-xs text-muted">{offer.label}</span>
          <code className="min-w-0 font-mono text-xs break-all">{legible(offer.value)}</code>
        </label>
      ))}
    </fieldset>
  );
}

function Rules({ rules, onChange }: { rules: readonly RuleName[]; onChange(rules: readonly RuleName[]): void }) {
  const [text, setText] = useState('');
  const wanted = useDeferredValue(text.trim());
  const { data } = useQuery(SuppressionRulesDocument, { variables: { text: wanted }, skip: wanted.length < 2 });
  const found =
    wanted.length < 2 ? [] : (data?.rules.nodes ?? []).filter((rule) => !rules.some((r) => r.id === rule.id));
  const id = useId();
  return (
    <div role="group" aria-labelledby={id}>
      <p id={id} className="mb-1 text-xs font-medium">
        {rules.length === 0 ? 'For any rule' : 'For the rule'}
      </p>
      <ul className="space-y-1">
        {rules.map((rule) => (
          <li key={rule.id} className="flex items-center gap-2 rounded-md bg-raised px-2 text-xs">
            <span className="min-w-0 grow truncate">{legible(rule.title)}</span>
            <IconButton
              icon={X}
              label={`Not for ${legible(rule.title)}`}
              onClick={() => onChange(rules.filter((r) => r.id !== rule.id))}
            />
          </li>
        ))}
      </ul>
      <div className="mt-1">
        <TextField
          label={rules.length === 0 ? 'Only for a rule whose title has' : 'And for a rule whose title has'}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      {found.length > 0 && (
        <ul aria-label="Rules found" className="mt-1 max-h-32 overflow-y-auto rounded-md border border-line">
          {found.map((rule) => (
            <li key={rule.id}>
              <button
                type="button"
                className="w-full truncate px-2 py-1 text-left text-xs hover:bg-hover"
                onClick={() => {
                  onChange([...rules, rule]);
                  setText('');
                }}
              >
                {legible(rule.title)}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Line(props: {
  label: string;
  hint: string;
  noun: 'ALERTS' | 'EVENTS';
  condition: Condition;
  onChange(condition: Condition): void;
}) {
  const line = 'line' in props.condition ? props.condition.line : '';
  const state = useQueryLine(props.noun, line);
  return (
    <div>
      <p className="mb-1 text-xs font-medium">{props.label}</p>
      {'filter' in props.condition ? (
        <div className="flex items-start gap-2">
          <code className="min-w-0 grow rounded-md bg-raised px-2 py-1 font-mono text-xs break-all">
            {conditionText(props.condition)}
          </code>
          <Button onClick={() => props.onChange({ line: '' })}>Write it anew</Button>
        </div>
      ) : (
        <QueryBox label={props.label} value={line} line={state} onChange={(text) => props.onChange({ line: text })} />
      )}
      <p className="mt-1 text-xs text-muted">{props.hint}</p>
    </div>
  );
}

function Until({ until, onChange }: { until: string; onChange(until: string): void }) {
  return (
    <div>
      <TextField
        label="Until"
        type="datetime-local"
        value={localInput(until)}
        onChange={(event) => onChange(fromLocalInput(event.target.value))}
        hint={until ? 'Then the findings raise alerts again.' : 'It has no end: somebody has to end it.'}
      />
      <div className="mt-1 flex flex-wrap gap-1">
        {presets.map(([id, label]) => (
          <Button key={id} onClick={() => onChange(endOf(id, Date.now()))}>
            {label}
          </Button>
        ))}
        <Button onClick={() => onChange('')}>No end</Button>
      </div>
    </div>
  );
}
