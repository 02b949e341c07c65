// Writing a channel: where it leads, of what it tells, when and in which words, with
// what it would say beside it.
import { type FormEvent, useState } from 'react';
import type { ChannelTrigger } from '../../gql/schema';
import { useExplainedChange } from '../../nouns/journal/useExplainedChange';
import { useQueryLine } from '../../nouns/query/useQueryLine';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Choice, TextField } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { QueryBox } from '../../ui/QueryBox';
import { type Problem, sentence } from '../../ui/useChange';
import { ChannelCreateDocument, type ChannelFactsFragment, ChannelUpdateDocument } from './Channels.generated';
import {
  createInput,
  type Draft,
  draftOf,
  emptyDraft,
  hasField,
  isReady,
  type Problems,
  problemsOf,
  updateInput,
} from './draft';
import { KindPicker, SecretField, SettingsFields } from './KindFields';
import { KindName } from './looks';
import { Preview } from './Preview';
import { QuietFields } from './QuietFields';
import { usePreview } from './usePreview';
import { WordsFields } from './WordsFields';

interface ChannelDialogProps {
  edited?: ChannelFactsFragment;
  onDone(): void;
  onCancel(): void;
}

export function ChannelDialog({ edited, onDone, onCancel }: ChannelDialogProps) {
  const change = useExplainedChange();
  const [draft, setDraft] = useState(() => (edited ? draftOf(edited) : emptyDraft));
  const [refused, setRefused] = useState<Problems>({});
  const [grouped, setGrouped] = useState(false);
  const [busy, setBusy] = useState(false);
  const { preview, error, retry } = usePreview(draft, grouped);
  const set = (part: Partial<Draft>) => {
    setDraft((was) => ({ ...was, ...part }));
    setRefused({}); // it was about what stood there before
  };
  const kept = edited?.secretAt != null;
  const ready = isReady(draft, kept);
  const problems: Problems = { ...problemsOf(preview?.errors ?? []), ...refused };
  const elsewhere = Object.entries(refused).find(([path]) => !hasField(draft, path));
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    const show = (problem: Problem) => {
      setRefused(problemsOf([problem]));
      return true;
    };
    const done = edited
      ? await change(ChannelUpdateDocument, { input: updateInput(draft, edited) }, show)
      : await change(ChannelCreateDocument, { input: createInput(draft) }, show);
    setBusy(false);
    if (!done) return;
    notify('info', edited ? 'The channel is saved.' : 'The channel tells of alerts from now on.');
    onDone();
  };
  return (
    <Dialog wide title={edited ? 'Edit the channel' : 'New channel'} onClose={onCancel}>
      <form onSubmit={send} className="grid gap-6 lg:grid-cols-2">
        <div className="min-w-0 space-y-4">
          {edited ? (
            <p className="text-xs">
              <KindName kind={draft.kind} />
            </p>
          ) : (
            <KindPicker kind={draft.kind} onChange={(kind) => set({ kind, secret: '' })} />
          )}
          <TextField
            label="Name"
            required
            maxLength={100}
            value={draft.name}
            problem={problems.name}
            onChange={(event) => set({ name: event.target.value })}
          />
          <SettingsFields draft={draft} problems={problems} onChange={(settings) => set({ settings })} />
          <SecretField draft={draft} kept={kept} problems={problems} onChange={(secret) => set({ secret })} />
          <WhenFields draft={draft} problems={problems} onChange={set} />
          <QuietFields quiet={draft.quiet} problems={problems} onChange={(quiet) => set({ quiet })} />
        </div>
        <div className="min-w-0 space-y-4">
          <WordsFields subject={draft.subject} text={draft.text} problems={problems} onChange={set} />
          <Preview preview={preview} error={error} onRetry={retry} grouped={grouped} onGroup={setGrouped} />
        </div>
        <div className="flex flex-wrap items-center justify-end gap-2 lg:col-span-2">
          {elsewhere && (
            <Banner tone="error" className="grow rounded-md">
              {legible(sentence(elsewhere[1]))}
            </Banner>
          )}
          <Button onClick={onCancel}>Cancel</Button>
          <Button type="submit" look="primary" disabled={!ready || busy}>
            {edited ? 'Save' : 'Create channel'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface WhenFieldsProps {
  draft: Draft;
  problems: Problems;
  onChange(part: Partial<Draft>): void;
}

/** Of what it tells, and when. */
function WhenFields({ draft, problems, onChange }: WhenFieldsProps) {
  const line = useQueryLine('ALERTS', draft.query);
  return (
    <>
      <div>
        <p className="mb-1 text-xs font-medium">Alerts that match</p>
        <QueryBox label="Alerts that match" value={draft.query} line={line} onChange={(query) => onChange({ query })} />
        <p className={problems.query && !line.problem ? 'mt-1 text-xs text-critical' : 'mt-1 text-xs text-muted'}>
          {problems.query && !line.problem
            ? legible(problems.query)
            : 'A query line, such as severity:>=high host:web*; empty: all.'}
        </p>
      </div>
      <Choice
        label="It tells of them"
        value={draft.trigger}
        options={[
          ['ALERT', 'as soon as they come to match'],
          ['UNACKNOWLEDGED', 'when nobody acknowledges them in time'],
        ]}
        problem={problems.trigger}
        onChange={(trigger) => onChange({ trigger: trigger as ChannelTrigger })}
      />
      {draft.trigger === 'UNACKNOWLEDGED' && (
        <TextField
          label="Minutes in which somebody has to acknowledge"
          type="number"
          min={1}
          max={10_080}
          required
          value={draft.afterMinutes}
          problem={problems.afterMinutes}
          hint="For escalation: alerts that are still new then, and without an assignee."
          onChange={(event) => onChange({ afterMinutes: event.target.value })}
        />
      )}
      <TextField
        label="Minutes between messages"
        type="number"
        min={0}
        max={1_440}
        required
        value={draft.groupMinutes}
        problem={problems.groupMinutes}
        hint="What comes between is summed up in the next. 0: each alert is a message of its own, unless many come at once."
        onChange={(event) => onChange({ groupMinutes: event.target.value })}
      />
    </>
  );
}
