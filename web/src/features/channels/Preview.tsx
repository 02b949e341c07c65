// What the channel would say: as people read it, and as it is sent.

import clsx from 'clsx';
import { Body } from '../../nouns/delivery/Body';
import { pretty } from '../../nouns/delivery/pretty';
import { Banner } from '../../ui/Banner';
import { legible } from '../../ui/legible';
import { Section } from '../../ui/Section';
import { ErrorState, Skeleton } from '../../ui/States';
import { sentence } from '../../ui/useChange';
import type { ChannelPreviewQuery } from './Channels.generated';

interface PreviewProps {
  preview: ChannelPreviewQuery['channelPreview'] | undefined;
  error: unknown;
  onRetry(): void;
  grouped: boolean;
  onGroup(grouped: boolean): void;
}

export function Preview({ preview, error, onRetry, grouped, onGroup }: PreviewProps) {
  return (
    <Section title="What it would say">
      <div className="space-y-3">
        <div role="group" aria-label="Of what" className="inline-flex rounded-md border border-line-strong p-0.5">
          <Way label="One alert" on={!grouped} onChoose={() => onGroup(false)} />
          <Way label="A storm, summed up" on={grouped} onChoose={() => onGroup(true)} />
        </div>
        {error ? (
          <ErrorState title="The preview cannot be loaded" error={error} onRetry={onRetry} />
        ) : preview ? (
          <Said preview={preview} />
        ) : (
          <Skeleton className="h-48" />
        )}
      </div>
    </Section>
  );
}

function Said({ preview }: { preview: NonNullable<PreviewProps['preview']> }) {
  const [problem] = preview.errors;
  if (problem)
    return (
      <Banner tone="warn" className="rounded-md">
        {legible(sentence(problem.message))}
      </Banner>
    );
  return (
    <>
      <article aria-label="The message" className="rounded-md border border-line bg-raised p-3">
        <h4 className="font-semibold break-words">{legible(preview.subject ?? '')}</h4>
        <p className="mt-1 break-words whitespace-pre-wrap">{legible(preview.text ?? '')}</p>
      </article>
      <p className="text-xs text-muted">
        {preview.alerts === 0
          ? 'No alert matches: this is an example.'
          : preview.alerts === 1
            ? 'Made of the newest alert that matches.'
            : `Made of the ${preview.alerts.toLocaleString('en')} newest alerts that match.`}
      </p>
      {preview.body && <Body text={pretty(preview.body)} label="As it is sent" />}
    </>
  );
}

function Way({ label, on, onChoose }: { label: string; on: boolean; onChoose(): void }) {
  return (
    <button
      type="button"
      aria-pressed={on}
      onClick={onChoose}
      className={clsx(
        'h-6 rounded px-2 text-xs font-medium',
        on ? 'bg-selected text-ink' : 'text-muted hover:text-ink',
      )}
    >
      {label}
    </button>
  );
}
