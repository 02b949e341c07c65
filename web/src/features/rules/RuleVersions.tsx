// The versions of a rule: any two beside each other, and one of them restored.
import { ArrowRight } from 'lucide-react';
import { useState } from 'react';
import { Time } from '../../nouns/time/Time';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Select } from '../../ui/Select';
import { type Compared, editor, latestOf, sourceOf, type Version } from './versions';
import { YamlDiff } from './YamlEditor';

interface RuleVersionsProps {
  /** What stands in the editor. */
  now: string;
  /** The newest first. */
  versions: readonly Version[];
  /** Whether there are older ones. */
  more: boolean;
  compared: Compared | null;
  onCompare(compared: Compared | null): void;
  /** Brings a text back into the editor. */
  onTake?(source: string): void;
  /** Stores a text as a new version. */
  onRestore?(version: Version): Promise<void>;
}

export function RuleVersions(props: RuleVersionsProps) {
  const { now, versions, more, compared, onCompare, onTake, onRestore } = props;
  const [restoring, setRestoring] = useState<Version | null>(null);
  const latest = latestOf(versions);
  const options = [
    [editor, 'What is in the editor'] as const,
    ...versions.map(({ version }) => [String(version), `Version ${version}`] as const),
  ];
  const before = compared && sourceOf(compared.from, now, versions);
  const after = compared && sourceOf(compared.to, now, versions);
  return (
    <div className="space-y-4">
      {compared && (
        <section aria-label="Comparison" className="space-y-2">
          <div className="flex flex-wrap items-center gap-2">
            <Select
              label="Compare"
              value={compared.from}
              options={options}
              onChange={(from) => onCompare({ ...compared, from })}
            />
            <ArrowRight size={13} aria-hidden className="text-faint" />
            <Select
              label="Compare with"
              value={compared.to}
              options={options}
              onChange={(to) => onCompare({ ...compared, to })}
            />
            <Button look="ghost" className="ml-auto" onClick={() => onCompare(null)}>
              Close
            </Button>
          </div>
          {before === null || after === null ? (
            <p className="text-muted">One of these versions is not there.</p>
          ) : before === after ? (
            <p className="text-muted">They are the same.</p>
          ) : (
            <YamlDiff before={before} after={after} />
          )}
        </section>
      )}
      <ol aria-label="Versions" className="space-y-2">
        {versions.map((version) => (
          <li key={version.version} className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <span className="font-semibold">Version {version.version}</span>
            <Time at={version.createdAt} className="text-xs text-muted" />
            {version.createdBy && <span className="text-xs text-muted">by {version.createdBy.name}</span>}
            {version.version === latest && <span className="text-xs text-muted">in force</span>}
            {version.source === now && <span className="text-xs text-muted">as in the editor</span>}
            <span className="ml-auto flex gap-2">
              <Button
                aria-label={`Compare version ${version.version}`}
                onClick={() =>
                  onCompare({
                    from: String(version.version),
                    to: version.version === latest ? editor : String(latest),
                  })
                }
              >
                Compare
              </Button>
              {onTake && version.source !== now && (
                <Button aria-label={`Edit version ${version.version}`} onClick={() => onTake(version.source)}>
                  Edit
                </Button>
              )}
              {onRestore && version.version !== latest && (
                <Button aria-label={`Restore version ${version.version}`} onClick={() => setRestoring(version)}>
                  Restore
                </Button>
              )}
            </span>
          </li>
        ))}
      </ol>
      {more && <p className="text-xs text-muted">Earlier versions are not shown.</p>}
      {restoring && (
        <Confirm
          title={`Restore version ${restoring.version}?`}
          submit={`Restore version ${restoring.version}`}
          onCancel={() => setRestoring(null)}
          onConfirm={async () => {
            setRestoring(null);
            await onRestore?.(restoring);
          }}
        >
          Its text is stored as version {latest + 1} and runs within a second. No version is lost.
        </Confirm>
      )}
    </div>
  );
}
