import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import type { Severity } from '../../gql/schema';
import { severities, severityLook } from '../../nouns/severity/severity';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Choice, TextArea, TextField } from '../../ui/Field';
import { useChange } from '../../ui/useChange';
import { IncidentCreateDocument } from './Changes.generated';

export function NewIncident({ onClose }: { onClose(): void }) {
  const change = useChange();
  const navigate = useNavigate();
  const [title, setTitle] = useState('');
  const [description, setDescription] = useState('');
  const [severity, setSeverity] = useState<Severity>('MEDIUM');
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const done = await change(IncidentCreateDocument, {
      input: { title: title.trim(), description, severity, alerts: [] },
    });
    if (!done?.incident) return;
    onClose();
    void navigate({ to: '/incidents/$id', params: { id: done.incident.id } });
  };
  return (
    <Dialog title="New incident" onClose={onClose}>
      <form onSubmit={send} className="space-y-4">
        <TextField label="Title" required maxLength={200} value={title} onChange={(e) => setTitle(e.target.value)} />
        <Choice
          label="Severity"
          value={severity}
          options={severities.map((s) => [s, severityLook[s].label] as const)}
          onChange={(value) => setSeverity(value as Severity)}
        />
        <TextArea label="Description" value={description} onChange={(e) => setDescription(e.target.value)} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={!title.trim()}>
            Create incident
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
