import { useState } from 'react';
import { Time } from '../../nouns/time/Time';
import { Button } from '../../ui/Button';
import { YamlDiff } from './YamlEditor';

interface RuleVersionsProps {
  /** What stands in the editor. */
  now: string;
  versions: readonly { version: number; source: string; createdAt: string }[];
  /** Brings a text back into the editor. */
  onTake?(source: string): void;
}

export function RuleVersions({ now, versions, onTake }: RuleVersionsProps) {
  const [open, setOpen] = useState<number | null>(null);
  return (
    <ol className="space-y-3">
      {versions.map((version) => (
        <li key={version.version}>
          <div className="flex items-center gap-3">
            <span className="font-semibold">Version {version.version}</span>
            <Time at={version.createdAt} className="text-xs text-muted" />
            {version.source === now && <span className="text-xs text-muted">as in the editor</span>}
            {version.source !== now && (
              <span className="ml-auto flex gap-2">
                <Button
                  aria-expanded={open === version.version}
                  onClick={() => setOpen(open === version.version ? null : version.version)}
                >
                  Compare
                </Button>
                {onTake && <Button onClick={() => onTake(version.source)}>Bring back</Button>}
              </span>
            )}
          </div>
          {open === version.version && (
            <div className="mt-2">
              <YamlDiff before={version.source} after={now} />
            </div>
          )}
        </li>
      ))}
    </ol>
  );
}
