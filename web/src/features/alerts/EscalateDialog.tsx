// Alerts become an incident, or come to one that is open.
import { useQuery } from '@apollo/client/react';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import type { Severity } from '../../gql/schema';
import { severities, severityLook } from '../../nouns/severity/severity';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Choice, TextField } from '../../ui/Field';
import { useChange } from '../../ui/useChange';
import { AlertEscalateDocument, AlertJoinDocument, OpenIncidentsDocument } from './Bulk.generated';

interface EscalateDialogProps {
  ids: readonly string[];
  /** What it is called unless somebody says otherwise. */
  title: string;
  severity: Severity;
  /** They are in an incident now. */
  onDone(): void;
  onClose(): void;
}

export function EscalateDialog({ ids, title: proposed, severity: worst, onDone, onClose }: EscalateDialogProps) {
  const change = useChange();
  const navigate = useNavigate();
  const { data } = useQuery(OpenIncidentsDocument);
  const [incident, setIncident] = useState('');
  const [title, setTitle] = useState(proposed);
  const [severity, setSeverity] = useState<Severity>(worst);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const done = incident
      ? await change(AlertJoinDocument, { input: { id: incident, alerts: [...ids] } })
      : await change(AlertEscalateDocument, { input: { title: title.trim(), severity, alerts: [...ids] } });
    if (!done?.incident) return;
    onDone();
    onClose();
    void navigate({ to: '/incidents/$id', params: { id: done.incident.id } });
  };
  return (
    <Dialog title={ids.length === 1 ? 'Escalate the alert' : `Escalate ${ids.length} alerts`} onClose={onClose}>
      <form onSubmit={send} className="space-y-4">
        <TextField
          label="Title of the incident"
          required={!incident}
          disabled={incident !== ''}
          maxLength={200}
          value={title}
          onChange={(e) => setTitle(e.target.value)}
        />
        <Choice
          label="Severity"
          value={severity}
          disabled={incident !== ''}
          options={severities.map((s) => [s, severityLook[s].label] as const)}
          onChange={(value) => setSeverity(value as Severity)}
        />
        <Choice
          label="Incident"
          value={incident}
          options={[['', 'A new one'], ...(data?.incidents.nodes ?? []).map((i) => [i.id, i.title] as const)]}
          onChange={setIncident}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={!incident && !title.trim()}>
            {incident ? 'Add to the incident' : 'Open the incident'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
