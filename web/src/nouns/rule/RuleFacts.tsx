// What a rule says of itself, and its source.
import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { ExternalLink } from 'lucide-react';
import { Banner } from '../../ui/Banner';
import { CopyButton } from '../../ui/CopyButton';
import { Facts } from '../../ui/Facts';
import { legible } from '../../ui/legible';
import { SeverityBadge } from '../severity/SeverityBadge';
import { type RuleFactsFragment, RuleFactsFragmentDoc } from './RuleFacts.generated';
import { Techniques } from './Techniques';
import { Yaml } from './Yaml';

/** What a rule said of itself at a version. */
export interface RuleAsItWas {
  readonly title: string;
  readonly description: string;
  readonly level: RuleFactsFragment['level'];
  readonly author: string;
  readonly references: readonly string[];
  readonly falsePositives: readonly string[];
  readonly fields: readonly string[];
  readonly source: string;
}

interface RuleFactsProps {
  rule: FragmentType<RuleFactsFragment>;
  titled?: boolean;
  /** Its own words are of then, where it stands is of now. */
  fired?: RuleAsItWas | null;
}

export function RuleFacts({ rule, titled = true, fired }: RuleFactsProps) {
  const { data: now, complete } = useFragment({ fragment: RuleFactsFragmentDoc, from: rule });
  if (!complete) return null;
  const data = { ...now, ...(fired && wordsOf(fired)) };
  const list = (items: readonly string[]) =>
    items.length > 0 && (
      <ul className="list-disc space-y-0.5 pl-4">
        {items.map((item) => (
          <li key={item}>{legible(item)}</li>
        ))}
      </ul>
    );
  const source = [data.logSource.product, data.logSource.category, data.logSource.service].filter(Boolean).join(' / ');
  return (
    <div className="space-y-4">
      {data.state !== 'ACTIVE' && (
        <Banner tone="warn" live={false} className="rounded-lg">
          {data.state === 'INVALID' ? 'The rule is wrong and does not run' : 'The rule does not run'}
          {data.stateReason && `: ${legible(data.stateReason)}`}
        </Banner>
      )}
      {titled && (
        <div className="flex items-start gap-2">
          <SeverityBadge severity={data.level} />
          <h3 className="text-sm font-semibold">{legible(data.title)}</h3>
        </div>
      )}
      {data.description && <p className="whitespace-pre-line text-muted">{legible(data.description.trim())}</p>}
      <Facts
        rows={[
          ['Author', data.author],
          ['Techniques', data.techniques.length > 0 && <Techniques ids={data.techniques} />],
          ['Known false positives', list(data.falsePositives)],
          [
            'References',
            data.references.length > 0 && (
              <ul className="space-y-0.5">
                {data.references.map((reference) => (
                  <li key={reference}>
                    <Reference text={reference} />
                  </li>
                ))}
              </ul>
            ),
          ],
          ['Fields to look at', fired?.fields.join(', ')],
          ['Log source', source],
          ['Maturity', data.status],
          ['Enabled', data.enabled ? 'Yes' : 'No'],
          ['Tags', data.tags.join(', ')],
          ['Path', data.path],
        ]}
      />
      <section aria-label="Source of the rule" className="overflow-hidden rounded-lg border border-line">
        <div className="flex items-center justify-between border-b border-line bg-raised py-1 pr-1 pl-3 text-xs text-muted">
          Sigma
          <CopyButton text={data.source} label="Copy the rule" />
        </div>
        <Yaml text={data.source} />
      </section>
    </div>
  );
}

function wordsOf({ title, description, level, author, references, falsePositives, source }: RuleAsItWas) {
  return { title, description, level, author, references, falsePositives, source };
}

/** Rules come from anywhere: only web addresses become links. */
function Reference({ text }: { text: string }) {
  if (!/^https?:\/\//i.test(text)) return <>{legible(text)}</>;
  return (
    <a
      href={text}
      target="_blank"
      rel="noreferrer noopener"
      className="inline-flex items-start gap-1 break-all text-accent underline underline-offset-2"
    >
      {legible(text)}
      <ExternalLink size={12} aria-hidden className="mt-1 shrink-0" />
    </a>
  );
}
