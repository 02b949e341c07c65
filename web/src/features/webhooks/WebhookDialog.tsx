// Writing a webhook: where it sends, and what: a subscription of one's own, with a
// preview made of the newest changes.
import { useApolloClient } from '@apollo/client/react';
import { Eye } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { describe } from '../../api/errors';
import { Body } from '../../nouns/delivery/Body';
import { pretty } from '../../nouns/delivery/pretty';
import { useExplainedChange } from '../../nouns/journal/useExplainedChange';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { Command } from '../../ui/Command';
import { Dialog } from '../../ui/Dialog';
import { Choice, TextArea, TextField } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { firstOperations, variablesProblem } from './operations';
import {
  WebhookCreateDocument,
  type WebhookFactsFragment,
  WebhookPreviewDocument,
  WebhookUpdateDocument,
} from './Webhooks.generated';

interface WebhookDialogProps {
  edited?: WebhookFactsFragment;
  onDone(): void;
  onCancel(): void;
}

export function WebhookDialog({ edited, onDone, onCancel }: WebhookDialogProps) {
  const change = useExplainedChange();
  const [first] = firstOperations;
  const [name, setName] = useState(edited?.name ?? '');
  const [url, setUrl] = useState(edited?.url ?? '');
  const [document, setDocument] = useState(edited?.document ?? first.document);
  const [variables, setVariables] = useState(edited ? JSON.stringify(edited.variables, null, 2) : first.variables);
  const [concurrency, setConcurrency] = useState(String(edited?.concurrency ?? 1));
  const [secret, setSecret] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const problem = variablesProblem(variables);
  const ready = name.trim() !== '' && url.trim() !== '' && document.trim() !== '' && !problem;
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    const input = { name: name.trim(), url: url.trim(), document, variables, concurrency: Number(concurrency) };
    if (edited) {
      const done = await change(WebhookUpdateDocument, {
        input: { id: edited.id, expectedVersion: edited.version, ...input },
      });
      setBusy(false);
      if (!done) return;
      notify('info', 'The webhook is saved.');
      onDone();
      return;
    }
    const done = await change(WebhookCreateDocument, { input });
    setBusy(false);
    if (done?.secret) setSecret(done.secret);
  };
  if (secret) return <SecretDialog secret={secret} onClose={onDone} />;
  return (
    <Dialog title={edited ? 'Edit the webhook' : 'New webhook'} onClose={onCancel}>
      <form onSubmit={send} className="space-y-4">
        <TextField label="Name" required maxLength={100} value={name} onChange={(e) => setName(e.target.value)} />
        <TextField
          label="Address"
          required
          type="url"
          maxLength={2_000}
          placeholder="https://example.com/hook"
          value={url}
          onChange={(e) => setUrl(e.target.value)}
          hint="By https. What is not public, the server's configuration has to allow."
        />
        {!edited && (
          <Choice
            label="Begin with"
            value={firstOperations.find((o) => o.document === document)?.id ?? ''}
            options={[
              ...firstOperations.map((o) => [o.id, o.label] as const),
              ...(firstOperations.some((o) => o.document === document) ? [] : [['', 'Your own'] as const]),
            ]}
            onChange={(id) => {
              const chosen = firstOperations.find((o) => o.id === id);
              if (!chosen) return;
              setDocument(chosen.document);
              setVariables(chosen.variables);
            }}
          />
        )}
        <TextArea
          label="Operation"
          required
          rows={10}
          spellCheck={false}
          className="w-full rounded-md border border-line-strong bg-surface px-2.5 py-1.5 font-mono text-xs text-ink"
          value={document}
          onChange={(e) => setDocument(e.target.value)}
          hint="A subscription to a feed; what it selects is the body. Try it in the playground."
        />
        <TextArea
          label="Variables"
          rows={3}
          spellCheck={false}
          className="w-full rounded-md border border-line-strong bg-surface px-2.5 py-1.5 font-mono text-xs text-ink"
          value={variables}
          onChange={(e) => setVariables(e.target.value)}
          hint={problem ?? 'The filter is the one that the lists take, a query line for example.'}
        />
        <Preview document={document} variables={variables} disabled={problem !== null} />
        <Choice
          label="Order"
          value={concurrency}
          options={[
            ['1', 'In order, one after another'],
            ['4', 'In any order, 4 at once'],
            ['10', 'In any order, 10 at once'],
            ...(['1', '4', '10'].includes(concurrency) ? [] : [[concurrency, `${concurrency} at once`] as const]),
          ]}
          onChange={setConcurrency}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onCancel}>Cancel</Button>
          <Button type="submit" look="primary" disabled={!ready || busy}>
            {edited ? 'Save' : 'Create webhook'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Preview({ document, variables, disabled }: { document: string; variables: string; disabled: boolean }) {
  const client = useApolloClient();
  const [shown, setShown] = useState<{ body?: string; problem?: string } | null>(null);
  const load = async () => {
    try {
      const { data } = await client.query({
        query: WebhookPreviewDocument,
        variables: { input: { document, variables } },
        fetchPolicy: 'no-cache',
      });
      const { body, errors = [] } = data?.webhookPreview ?? {};
      setShown(body ? { body: pretty(body) } : { problem: errors[0]?.message ?? 'The server gave no answer.' });
    } catch (error) {
      setShown({ problem: describe(error).message });
    }
  };
  return (
    <section aria-label="Preview" className="space-y-2">
      <Button icon={Eye} disabled={disabled} onClick={() => void load()}>
        Preview
      </Button>
      {shown?.problem && <Banner tone="warn">{legible(shown.problem)}</Banner>}
      {shown?.body && <Body text={shown.body} label="What it would send of the newest changes" />}
    </section>
  );
}

/** A secret that is shown this once. */
export function SecretDialog({ secret, onClose }: { secret: string; onClose(): void }) {
  return (
    <Dialog title="Secret of the webhook" onClose={onClose}>
      <div className="space-y-3">
        <Banner tone="warn">Copy it now: it is shown this once. The receiver checks signatures with it.</Banner>
        <Command text={secret} />
        <p className="text-xs text-muted">
          Signed by the Standard Webhooks specification: webhook-id, webhook-timestamp and webhook-signature.
        </p>
        <div className="flex justify-end">
          <Button look="primary" onClick={onClose}>
            Done
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
