// A mapping is tried on records before it is stored: what would become of each.
import { useQuery } from '@apollo/client/react';
import { CircleCheck, CircleX, Info } from 'lucide-react';
import { describe } from '../../api/errors';
import type { MappingRulesInput } from '../../gql/schema';
import { classLabel } from '../../nouns/event/event';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { Time } from '../../nouns/time/Time';
import { Banner } from '../../ui/Banner';
import { Facts } from '../../ui/Facts';
import { TextArea } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { Mark } from '../../ui/Mark';
import { MappingPreviewDocument, type MappingPreviewQuery } from './Mappings.generated';
import type { Samples } from './samples';

type Preview = MappingPreviewQuery['mappingPreview'][number];

interface MappingTrialProps {
  text: string;
  samples: Samples;
  rules: MappingRulesInput;
  onText(text: string): void;
}

export function MappingTrial({ text, samples, rules, onText }: MappingTrialProps) {
  const { records, problem } = samples;
  const { data, previousData, error } = useQuery(MappingPreviewDocument, {
    variables: { rules, samples: [...records] },
    skip: records.length === 0,
    // Each state of the form would stay in the cache.
    fetchPolicy: 'no-cache',
  });
  const previews = records.length > 0 ? ((data ?? previousData)?.mappingPreview ?? []) : [];
  return (
    <div className="space-y-4">
      <TextArea
        label="Records to try it on"
        rows={9}
        spellCheck={false}
        className="w-full rounded-md border border-line-strong bg-surface px-2.5 py-1.5 font-mono text-xs text-ink"
        placeholder={'{"node":"door-1","who":"ana","what":"opened"}'}
        value={text}
        onChange={(event) => onText(event.target.value)}
        hint={problem ?? 'One JSON object, an array of them, or one on each line. Nothing is stored.'}
      />
      <section aria-label="Preview" className="space-y-3">
        {error && <Banner tone="warn">{legible(describe(error).message)}</Banner>}
        {!error &&
          previews.map((preview, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: records have no name but their place
            <Told key={i} n={i + 1} preview={preview} tested={(rules.tests?.length ?? 0) > 0} />
          ))}
        {records.length === 0 && (
          <p className="text-muted">Paste a record, and see at once what this mapping makes of it.</p>
        )}
      </section>
    </div>
  );
}

function Told({ n, preview, tested }: { n: number; preview: Preview; tested: boolean }) {
  const { sourceIp, destinationIp, product, category, service, fields } = preview;
  return (
    <article aria-label={`Record ${n}`} className="space-y-2 rounded-lg border border-line p-3">
      <h3 className="flex flex-wrap items-center gap-3 text-xs font-semibold">
        Record {n}
        <Verdict preview={preview} />
        <Recognition recognised={preview.recognised} tested={tested} />
      </h3>
      {preview.problem ? (
        <Banner tone="warn" live={false}>
          {legible(preview.problem)}
        </Banner>
      ) : (
        <>
          <Facts
            rows={[
              ['Time', <Time key="t" at={preview.time} />],
              ['Severity', <SeverityBadge key="s" severity={preview.severity} />],
              ['Host', preview.host],
              ['User', preview.user],
              ['Source', sourceIp],
              ['Destination', destinationIp],
              ['Process', preview.process],
              ['Action', preview.action],
              ['Message', preview.message],
              ['Class', classLabel[preview.class]],
              ['Log source', [product, category, service].filter(Boolean).join(' / ')],
            ]}
          />
          <details>
            <summary className="cursor-pointer text-xs text-muted">
              What rules see: {fields.length} {fields.length === 1 ? 'field' : 'fields'}
            </summary>
            <dl className="mt-1 max-h-60 overflow-auto font-mono text-xs" tabIndex={0}>
              {fields.map(({ name, value }) => (
                <div key={name} className="flex gap-3 py-0.5">
                  <dt className="w-2/5 shrink-0 break-all text-accent">{legible(name)}</dt>
                  <dd className="min-w-0 break-all">{legible(value)}</dd>
                </div>
              ))}
            </dl>
          </details>
        </>
      )}
    </article>
  );
}

function Verdict({ preview: { problem } }: { preview: Preview }) {
  return (
    <Mark
      look={
        problem
          ? { label: 'Would be refused', icon: CircleX, className: 'text-warn' }
          : { label: 'Would be stored', icon: CircleCheck, className: 'text-good' }
      }
    />
  );
}

function Recognition({ recognised, tested }: { recognised: boolean; tested: boolean }) {
  if (!tested) return <Mark look={{ label: 'By its webhook', icon: Info, className: 'text-muted' }} />;
  return (
    <Mark
      look={
        recognised
          ? { label: 'Recognised', icon: CircleCheck, className: 'text-good' }
          : { label: 'Not recognised by its tests', icon: CircleX, className: 'text-warn' }
      }
    />
  );
}
