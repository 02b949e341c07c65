// Some alerts of an incident turn out to be another attack: they become one of
// their own.
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import type { Severity } from '../../gql/schema';
import { useExplainedChange } from '../../nouns/journal/useExplainedChange';
import { severities, severityLook } from '../../nouns/severity/severity';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Choice, TextField } from '../../ui/Field';
import { IncidentSplitDocument } from './Changes.generated';

interface SplitIncidentProps {
  incident: { id: string; version: number };
  alerts: readonly { id: string; title: string; severity: Severity }[];
  onClose(): void;
}

export function SplitIncident({ incident, alerts, onClose }: SplitIncidentProps) {
  const change = useExplainedChange();
  const navigate = useNavigate();
  const [title, setTitle] = useState(alerts[0]?.title ?? '');
  // As bad as the worst of what it is made of.
  const [severity, setSeverity] = useState<Severity>(
    severities.find((s) => alerts.some((alert) => alert.severity === s)) ?? 'MEDIUM',
  );
  const [busy, setBusy] = useState(false);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    const input = {
      id: incident.id,
      expectedVersion: incident.version,
      alerts: alerts.map((alert) => alert.id),
      title: title.trim(),
      severity,
    };
    const done = await change(IncidentSplitDocument, { input }).finally(() => setBusy(false));
    if (!done?.created) return;
    onClose();
    void navigate({ to: '/incidents/$id', params: { id: done.created.id } });
  };
  return (
    <Dialog title={`Split ${alerts.length === 1 ? 'an alert' : `${alerts.length} alerts`} off`} onClose={onClose}>
      <form onSubmit={send} className="space-y-4">
        <TextField
          label="Title of the new incident"
          required
          maxLength={200}
          value={title}
          onChange={(event) => setTitle(event.target.value)}
        />
        <Choice
          label="Severity"
          value={severity}
          options={severities.map((s) => [s, severityLook[s].label] as const)}
          onChange={(value) => setSeverity(value as Severity)}
        />
        <p className="text-xs text-muted">The alerts leave this incident; its tasks and comments stay.</p>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={busy || !title.trim()}>
            Open the new incident
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
