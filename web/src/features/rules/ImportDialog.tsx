// A Sigma archive is imported, part by part, with what became of each file.
import { useState } from 'react';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { useChange } from '../../ui/useChange';
import { inParts, readRules } from './archive';
import { RuleImportDocument } from './RuleEditor.generated';

interface Report {
  files: number;
  done: number;
  added: number;
  updated: number;
  unchanged: number;
  inactive: { path: string; message: string }[];
  refused: { path: string; message: string }[];
  converted: { path: string; message: string }[];
  finished: boolean;
}

export function ImportDialog({ onClose, onImported }: { onClose(): void; onImported(): void }) {
  const change = useChange();
  const [enable, setEnable] = useState(false);
  const [chosen, setChosen] = useState<readonly File[]>([]);
  const [report, setReport] = useState<Report | null>(null);
  const run = async () => {
    try {
      const files = await readRules(chosen);
      const now: Report = {
        files: files.length,
        done: 0,
        added: 0,
        updated: 0,
        unchanged: 0,
        inactive: [],
        refused: [],
        converted: [],
        finished: false,
      };
      setReport({ ...now });
      for (const part of inParts(files)) {
        const done = await change(RuleImportDocument, { input: { files: part, enable } });
        if (!done) break;
        now.done += part.length;
        now.added += done.added;
        now.updated += done.updated;
        now.unchanged += done.unchanged;
        now.inactive.push(...done.inactive);
        now.refused.push(...done.refused);
        now.converted.push(...done.converted);
        setReport({ ...now });
      }
      setReport({ ...now, finished: true });
      onImported();
    } catch (error) {
      notify('error', error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Dialog title="Import rules" onClose={onClose}>
      <div className="space-y-4">
        {!report ? (
          <>
            <label className="block">
              <span className="mb-1 block text-xs font-medium">A ZIP archive of Sigma rules, or YAML files</span>
              <input
                type="file"
                multiple
                accept=".zip,.yml,.yaml"
                onChange={(event) => setChosen([...(event.target.files ?? [])])}
                className="text-sm"
              />
            </label>
            <label className="flex items-center gap-2">
              <input
                type="checkbox"
                checked={enable}
                onChange={(event) => setEnable(event.target.checked)}
                className="accent-accent"
              />
              Enable new rules; known ones stay as they are
            </label>
            <div className="flex justify-end gap-2">
              <Button onClick={onClose}>Cancel</Button>
              <Button look="primary" disabled={chosen.length === 0} onClick={() => void run()}>
                Import
              </Button>
            </div>
          </>
        ) : (
          <>
            <progress aria-label="Import" max={report.files} value={report.done} className="h-2 w-full accent-accent" />
            <p role="status">
              {report.done.toLocaleString('en')} of {report.files.toLocaleString('en')} files:{' '}
              {report.added.toLocaleString('en')} new, {report.updated.toLocaleString('en')} changed,{' '}
              {report.unchanged.toLocaleString('en')} as they were.
            </p>
            <Problems title="Not stored" items={report.refused} />
            <Problems title="Stored, but they do not run" items={report.inactive} />
            <Problems title="Of Sigma 1, stored as correlations" items={report.converted} />
            <div className="flex justify-end">
              <Button look="primary" disabled={!report.finished} onClick={onClose}>
                Done
              </Button>
            </div>
          </>
        )}
      </div>
    </Dialog>
  );
}

function Problems({ title, items }: { title: string; items: readonly { path: string; message: string }[] }) {
  if (items.length === 0) return null;
  return (
    <details>
      <summary className="font-medium">
        {title}: {items.length.toLocaleString('en')}
      </summary>
      <ul className="mt-1 max-h-48 space-y-1 overflow-y-auto text-xs">
        {items.map((item) => (
          <li key={`${item.path} ${item.message}`}>
            <code className="font-mono break-all">{legible(item.path)}</code>
            <p className="text-muted">{legible(item.message)}</p>
          </li>
        ))}
      </ul>
    </details>
  );
}
