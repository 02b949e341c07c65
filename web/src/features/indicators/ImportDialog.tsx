// A list of indicators is imported, part by part, with what became of it.
import { useState } from 'react';
import type { IndicatorColumn, IndicatorFormat, Severity } from '../../gql/schema';
import { DurationField } from '../../nouns/time/DurationField';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Choice, TextField } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { useChange } from '../../ui/useChange';
import { severities } from './filters';
import { IndicatorImportDocument } from './Indicators.generated';
import { formatOf, partsOf, previewOf } from './lists';

interface Chosen {
  name: string;
  text: string;
  format: IndicatorFormat;
  preview: string[][];
}

interface Problem {
  position: number;
  objectId: string;
  message: string;
}

interface Report {
  total: number;
  done: number;
  read: number;
  added: number;
  updated: number;
  unchanged: number;
  revoked: number;
  refused: number;
  problems: Problem[];
  finished: boolean;
}

const mostShown = 200;

export function ImportDialog({ onClose, onImported }: { onClose(): void; onImported(): void }) {
  const change = useChange();
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [source, setSource] = useState('');
  const [severity, setSeverity] = useState<Severity>('MEDIUM');
  const [confidence, setConfidence] = useState('50');
  const [validFor, setValidFor] = useState('');
  const [subdomains, setSubdomains] = useState(true);
  const [revive, setRevive] = useState(false);
  const [valueColumn, setValueColumn] = useState('');
  const [report, setReport] = useState<Report | null>(null);
  const choose = async (file: File | undefined) => {
    if (!file) return;
    const text = await file.text();
    const format = formatOf(text);
    setChosen({ name: file.name, text, format, preview: format === 'CSV' ? previewOf(text) : [] });
    setValueColumn('');
    if (!source) setSource(file.name.replace(/\.[^.]*$/, '').slice(0, 128));
  };
  const run = async () => {
    if (!chosen) return;
    try {
      const parts = partsOf(chosen.format, chosen.text);
      const now: Report = {
        total: parts.reduce((sum, part) => sum + part.size, 0),
        done: 0,
        read: 0,
        added: 0,
        updated: 0,
        unchanged: 0,
        revoked: 0,
        refused: 0,
        problems: [],
        finished: false,
      };
      setReport({ ...now });
      const columns = valueColumn ? [{ field: 'VALUE' as IndicatorColumn, name: valueColumn }] : null;
      for (const part of parts) {
        const done = await change(IndicatorImportDocument, {
          input: {
            format: chosen.format,
            text: part.text,
            first: part.first,
            name: chosen.name.slice(0, 200),
            source: source.trim(),
            severity,
            confidence: Number(confidence),
            validFor: validFor.trim() || null,
            includeSubdomains: subdomains,
            revive,
            columns,
          },
        });
        if (!done?.report) break;
        now.done += part.size;
        for (const count of ['read', 'added', 'updated', 'unchanged', 'revoked', 'refused'] as const)
          now[count] += done.report[count];
        now.problems = [...now.problems, ...done.report.problems].slice(0, mostShown);
        setReport({ ...now });
      }
      setReport({ ...now, finished: true });
      onImported();
    } catch (error) {
      notify('error', error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Dialog title="Import indicators" onClose={onClose}>
      <div className="space-y-4">
        {report ? (
          <Outcome report={report} onClose={onClose} />
        ) : (
          <>
            <label className="block">
              <span className="mb-1 block text-xs font-medium">A CSV file, a plain list, or a STIX 2.1 bundle</span>
              <input
                type="file"
                accept=".csv,.txt,.tsv,.json,.stix"
                onChange={(event) => void choose(event.target.files?.[0])}
                className="text-sm"
              />
            </label>
            {chosen?.format === 'CSV' && (
              <Columns rows={chosen.preview} value={valueColumn} onChoose={setValueColumn} />
            )}
            {chosen?.format === 'STIX' && (
              <p className="text-xs text-muted">{legible(chosen.name)} is a STIX bundle.</p>
            )}
            <div className="grid gap-3 sm:grid-cols-2">
              <TextField
                label="Source"
                hint="Of those that name none"
                value={source}
                maxLength={128}
                onChange={(event) => setSource(event.target.value)}
              />
              <Choice
                label="Severity"
                value={severity}
                options={severities}
                onChange={(value) => setSeverity(value as Severity)}
              />
              <TextField
                label="Confidence"
                hint="0 to 100"
                type="number"
                min={0}
                max={100}
                value={confidence}
                onChange={(event) => setConfidence(event.target.value)}
              />
              <DurationField label="Valid for" hint="Empty: for ever" value={validFor} onChange={setValidFor} />
            </div>
            <label className="flex items-center gap-2">
              <input
                type="checkbox"
                checked={subdomains}
                onChange={(event) => setSubdomains(event.target.checked)}
                className="accent-accent"
              />
              Domains stand for the names below them too
            </label>
            <label className="flex items-center gap-2">
              <input
                type="checkbox"
                checked={revive}
                onChange={(event) => setRevive(event.target.checked)}
                className="accent-accent"
              />
              What was revoked here, and stands in the file, is valid again
            </label>
            <div className="flex justify-end gap-2">
              <Button onClick={onClose}>Cancel</Button>
              <Button look="primary" disabled={!chosen || !source.trim()} onClick={() => void run()}>
                Import
              </Button>
            </div>
          </>
        )}
      </div>
    </Dialog>
  );
}

/** What the file begins with, and which column has the values. */
function Columns({ rows, value, onChoose }: { rows: string[][]; value: string; onChoose(name: string): void }) {
  const [names = [], ...rest] = rows;
  return (
    <>
      <div
        role="region"
        aria-label="The file's first lines"
        tabIndex={0}
        className="max-h-40 overflow-auto rounded border border-line"
      >
        <table className="w-full text-left text-2xs">
          <thead className="bg-raised">
            <tr>
              {numbered(names).map(({ key, item: name }) => (
                <th key={key} scope="col" className="px-2 py-1 font-semibold whitespace-nowrap">
                  {legible(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {numbered(rest).map(({ key: row, item: cells }) => (
              <tr key={row} className="border-t border-line">
                {numbered(cells).map(({ key, item: cell }) => (
                  <td key={key} className="max-w-48 truncate px-2 py-1 font-mono">
                    {legible(cell)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {names.length > 1 && (
        <Choice
          label="Column with the values"
          value={value}
          options={[
            ['', 'Told by its name'],
            ...[...new Set(names)].filter(Boolean).map((name) => [name, name] as const),
          ]}
          onChange={onChoose}
        />
      )}
    </>
  );
}

/** What is in order, and may be there twice. */
function numbered<T>(items: readonly T[]): { key: number; item: T }[] {
  return items.map((item, key) => ({ key, item }));
}

function Outcome({ report, onClose }: { report: Report; onClose(): void }) {
  const n = (count: number) => count.toLocaleString('en');
  return (
    <>
      <progress aria-label="Import" max={report.total} value={report.done} className="h-2 w-full accent-accent" />
      <p role="status">
        {n(report.read)} indicators: {n(report.added)} new, {n(report.updated)} changed, {n(report.unchanged)} as they
        were, {n(report.revoked)} revoked; {n(report.refused)} could not be read.
      </p>
      {report.finished && report.done < report.total && (
        <p className="text-warn">The import stopped before the end of the file. What was read is stored.</p>
      )}
      {report.problems.length > 0 && (
        <details open>
          <summary className="font-medium">Not read: {n(report.refused)}</summary>
          <ul
            tabIndex={0}
            aria-label="What could not be read"
            className="mt-1 max-h-48 space-y-1 overflow-y-auto text-xs"
          >
            {report.problems.map((problem) => (
              <li key={`${problem.position} ${problem.objectId} ${problem.message}`}>
                <span className="font-medium">{problem.objectId ? problem.objectId : `Line ${problem.position}`}</span>:{' '}
                <span className="text-muted">{legible(problem.message)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      <div className="flex justify-end">
        <Button look="primary" disabled={!report.finished} onClick={onClose}>
          Done
        </Button>
      </div>
    </>
  );
}
