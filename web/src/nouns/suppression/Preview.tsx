// What a suppression would have hidden of what is stored.
import { useQuery } from '@apollo/client/react';
import { describe } from '../../api/errors';
import { legible } from '../../ui/legible';
import { Skeleton } from '../../ui/States';
import { SeverityBadge } from '../severity/SeverityBadge';
import { Time } from '../time/Time';
import { type Draft, previewInput, saysSomething } from './draft';
import { SuppressionPreviewDocument } from './Suppression.generated';

const days = 30;

export function Preview({ draft }: { draft: Draft }) {
  const ready = saysSomething(draft);
  const { data, previousData, error } = useQuery(SuppressionPreviewDocument, {
    variables: { input: previewInput(draft, days) },
    skip: !ready,
    fetchPolicy: 'no-cache',
  });
  const preview = (data ?? previousData)?.suppressionPreview;
  return (
    <section aria-label="What it would have hidden" aria-live="polite" className="rounded-lg border border-line p-3">
      <h3 className="mb-1 text-xs font-medium">In the last {days} days it would have hidden</h3>
      {!ready ? (
        <p className="text-xs text-muted">Everything. Name a rule or a condition.</p>
      ) : error ? (
        <p className="text-xs text-critical">This cannot be told: {describe(error).message}</p>
      ) : !preview ? (
        <Skeleton className="h-10" />
      ) : preview.findings === 0 ? (
        <p className="text-xs text-muted">Nothing of {count(preview.examined, 'finding')} that could be meant.</p>
      ) : (
        <div className="space-y-2">
          <p className="text-xs">
            <span className="font-semibold">
              {preview.complete ? '' : 'at least '}
              {count(preview.alerts, 'alert')}
            </span>
            {preview.smaller > 0 && ` and a part of ${count(preview.smaller, 'further one')}`},{' '}
            {count(preview.findings, 'finding')} in all
          </p>
          {preview.rules.length > 1 && (
            <ul aria-label="By rule" className="text-xs text-muted">
              {preview.rules.slice(0, 5).map((part) => (
                <li key={part.rule?.id ?? 'gone'} className="flex gap-2">
                  <span className="w-10 text-right tabular-nums">{part.findings.toLocaleString('en')}</span>
                  <span className="min-w-0 truncate">{legible(part.rule?.title ?? 'A rule that is gone')}</span>
                </li>
              ))}
            </ul>
          )}
          <ul aria-label="Examples" className="space-y-1">
            {preview.examples.slice(0, 5).map((alert) => (
              <li key={alert.id} className="flex items-center gap-2 text-xs">
                <SeverityBadge severity={alert.severity} compact />
                <span className="min-w-0 grow truncate">
                  {legible([alert.title, alert.host, alert.user].filter(Boolean).join(' · '))}
                </span>
                <span className="shrink-0 text-muted">
                  <Time at={alert.lastSeen} />
                </span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

function count(n: number, what: string): string {
  return `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;
}
