// An indicator that somebody writes by hand.
import { type FormEvent, useState } from 'react';
import type { IndicatorKind, Severity } from '../../gql/schema';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Choice, TextArea, TextField } from '../../ui/Field';
import { useChange } from '../../ui/useChange';
import { kinds, severities } from './filters';
import { IndicatorCreateDocument } from './Indicators.generated';

export function NewIndicator({ onClose, onMade }: { onClose(): void; onMade(id: string): void }) {
  const change = useChange();
  const [kind, setKind] = useState<IndicatorKind>('ADDRESS');
  const [value, setValue] = useState('');
  const [source, setSource] = useState('');
  const [severity, setSeverity] = useState<Severity>('HIGH');
  const [confidence, setConfidence] = useState('75');
  const [subdomains, setSubdomains] = useState(true);
  const [until, setUntil] = useState('');
  const [description, setDescription] = useState('');
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const done = await change(IndicatorCreateDocument, {
      input: {
        kind,
        value,
        source: source.trim(),
        severity,
        confidence: Number(confidence),
        includeSubdomains: kind === 'DOMAIN' && subdomains,
        validUntil: until ? new Date(until).toISOString() : null,
        description,
        reference: '',
      },
    });
    if (done?.indicator) onMade(done.indicator.id);
  };
  return (
    <Dialog title="New indicator" onClose={onClose}>
      <form onSubmit={(event) => void send(event)} className="space-y-3">
        <div className="grid gap-3 sm:grid-cols-2">
          <Choice label="Kind" value={kind} options={kinds} onChange={(next) => setKind(next as IndicatorKind)} />
          <TextField label="Value" value={value} required maxLength={2048} onChange={(e) => setValue(e.target.value)} />
          <TextField
            label="Source"
            value={source}
            required
            maxLength={128}
            onChange={(e) => setSource(e.target.value)}
          />
          <Choice
            label="Severity"
            value={severity}
            options={severities}
            onChange={(next) => setSeverity(next as Severity)}
          />
          <TextField
            label="Confidence"
            hint="0 to 100"
            type="number"
            min={0}
            max={100}
            required
            value={confidence}
            onChange={(e) => setConfidence(e.target.value)}
          />
          <TextField
            label="Valid until"
            hint="Empty: for ever"
            type="datetime-local"
            value={until}
            onChange={(e) => setUntil(e.target.value)}
          />
        </div>
        {kind === 'DOMAIN' && (
          <label className="flex items-center gap-2">
            <input
              type="checkbox"
              checked={subdomains}
              onChange={(event) => setSubdomains(event.target.checked)}
              className="accent-accent"
            />
            It stands for the names below it too
          </label>
        )}
        <TextArea
          label="Description"
          value={description}
          maxLength={2000}
          onChange={(e) => setDescription(e.target.value)}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary">
            Add
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
