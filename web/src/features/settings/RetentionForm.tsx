// Another time for events, by source; what it does to the days that are there is
// said before it is saved.
import { ArrowUp, Plus, Trash2 } from 'lucide-react';
import { type FormEvent, useRef, useState } from 'react';
import { DurationField } from '../../nouns/time/DurationField';
import { formatUTCDay } from '../../nouns/time/time';
import { Button, IconButton } from '../../ui/Button';
import { formatBytes } from '../../ui/bytes';
import { Confirm } from '../../ui/Confirm';
import { TextField } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { useChange } from '../../ui/useChange';
import { RetentionUpdateDocument } from './Retention.generated';
import {
  changesOf,
  type Day,
  type Keeping,
  keepProblem,
  keepText,
  lossOf,
  type Rule,
  ruleProblem,
  sourceFields,
  sourceText,
} from './retention';

/** As many as the server takes. */
const mostRules = 32;

interface RetentionFormProps {
  version: number;
  keeping: Keeping;
  days: readonly Day[];
  /** Null: what goes is gone for good. */
  archive: string | null;
  onClose(): void;
  onChanged(): void;
}

export function RetentionForm({ version, keeping: loaded, days, archive, onClose, onChanged }: RetentionFormProps) {
  const change = useChange();
  // What was there when editing began: the page is read again meanwhile, and somebody may have changed it.
  const [was] = useState(loaded);
  const [begun] = useState(version);
  const [keep, setKeep] = useState(was.keep);
  const [rules, setRules] = useState(() => was.rules.map((rule, key) => ({ key, ...rule })));
  const next = useRef(rules.length);
  const [confirming, setConfirming] = useState(false);
  const is: Keeping = { keep, rules: rules.map(trimmed) };
  const problem =
    version !== begun
      ? 'The settings have changed meanwhile: cancel, look at them as they are now, and decide again.'
      : (keepProblem(keep) ?? is.rules.map(ruleProblem).find((each) => each !== null) ?? null);
  const same = JSON.stringify(is) === JSON.stringify({ keep: was.keep, rules: was.rules.map(trimmed) });
  const set = (key: number, values: Partial<Rule>) =>
    setRules(rules.map((rule) => (rule.key === key ? { ...rule, ...values } : rule)));
  const raise = (at: number) => {
    const moved = [...rules];
    moved.splice(at - 1, 0, ...moved.splice(at, 1));
    setRules(moved);
  };
  const save = async () => {
    const input = {
      expectedVersion: begun,
      // What was not touched stays with the configuration.
      ...(keep !== was.keep && { eventRetention: keep }),
      ...(JSON.stringify(is.rules) !== JSON.stringify(was.rules.map(trimmed)) && { retentionRules: [...is.rules] }),
    };
    const done = await change(RetentionUpdateDocument, { input });
    setConfirming(false);
    onChanged();
    if (!done) return;
    notify('info', 'Saved. Every replica follows within a second.');
    onClose();
  };
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (changesOf(was, is).some((each) => each.shorter)) setConfirming(true);
    else void save();
  };
  return (
    <form onSubmit={send} className="space-y-4">
      <ol aria-label="Rules, the first that fits counts" className="space-y-3">
        {rules.map((rule, i) => (
          <li key={rule.key} className="rounded-lg border border-line p-3">
            <div className="mb-2 flex items-center gap-2 text-xs">
              <span className="font-medium">Rule {i + 1}</span>
              <span className="ml-auto flex gap-1">
                {i > 0 && (
                  <IconButton icon={ArrowUp} label={`Put rule ${i + 1} before rule ${i}`} onClick={() => raise(i)} />
                )}
                <IconButton
                  icon={Trash2}
                  label={`Remove rule ${i + 1}`}
                  onClick={() => setRules(rules.filter((each) => each !== rule))}
                />
              </span>
            </div>
            <div className="grid gap-3 sm:grid-cols-3">
              <TextField label="Name" value={rule.name} onChange={(e) => set(rule.key, { name: e.target.value })} />
              <DurationField
                label="Kept for"
                hint="0: for ever"
                required
                units={['days']}
                value={rule.keep}
                onChange={(value) => set(rule.key, { keep: value })}
              />
              {sourceFields.map((field) => (
                <TextField
                  key={field}
                  label={`${field.charAt(0).toUpperCase()}${field.slice(1)}`}
                  placeholder="any"
                  spellCheck={false}
                  value={rule[field]}
                  onChange={(e) => set(rule.key, { [field]: e.target.value })}
                />
              ))}
            </div>
          </li>
        ))}
      </ol>
      <Button
        icon={Plus}
        disabled={rules.length >= mostRules}
        onClick={() =>
          setRules([
            ...rules,
            { key: next.current++, name: '', product: '', category: '', service: '', format: '', keep: 'P30D' },
          ])
        }
      >
        Add a rule for a source
      </Button>
      <div className="max-w-72">
        <DurationField
          label={rules.length > 0 ? 'All other events are kept for' : 'Events are kept for'}
          hint="By the day they came in; 0: for ever"
          required
          units={['days']}
          value={keep}
          onChange={setKeep}
        />
      </div>
      <section aria-label="What it does" aria-live="polite" className="rounded-lg bg-raised p-3 text-sm">
        {problem ? problem : same ? 'Nothing is changed.' : <Effect was={was} is={is} days={days} archive={archive} />}
      </section>
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" disabled={problem !== null || same}>
          Save
        </Button>
      </div>
      {confirming && (
        <Confirm
          title="Keep events for less long?"
          submit={archive === null ? 'Delete for good' : 'Archive and delete'}
          onCancel={() => setConfirming(false)}
          onConfirm={save}
        >
          <Effect was={was} is={is} days={days} archive={archive} />
        </Confirm>
      )}
    </form>
  );
}

function trimmed({ name, product, category, service, format, keep }: Rule): Rule {
  return {
    name: name.trim(),
    product: product.trim(),
    category: category.trim(),
    service: service.trim(),
    format: format.trim(),
    keep,
  };
}

/** What becomes of events by another setting, in sentences. */
function Effect({
  was,
  is,
  days,
  archive,
}: {
  was: Keeping;
  is: Keeping;
  days: readonly Day[];
  archive: string | null;
}) {
  const changes = changesOf(was, is);
  const { whole, part } = lossOf(days, was, is, Date.now());
  const shorter = changes.some((each) => each.shorter);
  return (
    <div className="space-y-2">
      {changes.length === 0 ? (
        <p>No event is kept longer or shorter by it.</p>
      ) : (
        <ul className="list-disc space-y-0.5 pl-4">
          {changes.map((each) => (
            <li key={`${sourceText(each.source)} ${each.from} ${each.to}`}>
              {legible(sourceText(each.source))}: {each.shorter ? 'shorter' : 'longer'}, {keepText(each.to)} instead of{' '}
              {keepText(each.from)}
            </li>
          ))}
        </ul>
      )}
      {whole.length > 0 && (
        <p className="font-medium">
          Within six hours {span(whole)} {whole.length === 1 ? 'goes' : 'go'} as a whole: about{' '}
          {whole.reduce((n, day) => n + day.events, 0).toLocaleString('en')} events,{' '}
          {formatBytes(whole.reduce((n, day) => n + day.bytes, 0))}.
        </p>
      )}
      {part.length > 0 && <p className="font-medium">Of {span(part)} the events of those sources go.</p>}
      {shorter && whole.length + part.length === 0 && <p>Nothing that is there goes at once; days go as they end.</p>}
      {shorter && (
        <p className={archive === null ? 'font-medium text-critical' : undefined}>
          {archive === null
            ? 'No archive is set up: they are deleted for good.'
            : 'They are written to the archive and verified first, and can be restored from there.'}
        </p>
      )}
      {shorter && <p className="text-muted">What an open alert or incident points to stays.</p>}
      {!shorter && changes.length > 0 && <p>Nothing goes by it; what is gone already does not come back.</p>}
    </div>
  );
}

function span(days: readonly Day[]): string {
  const [first, last] = [days[0], days.at(-1)];
  if (!first || !last) return '';
  if (first === last) return formatUTCDay(first.day);
  return `${days.length.toLocaleString('en')} days, ${formatUTCDay(first.day)} to ${formatUTCDay(last.day)},`;
}
