import { type FormEvent, useState } from 'react';
import { useExplainedChange } from '../../nouns/journal/useExplainedChange';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { TextArea, TextField } from '../../ui/Field';
import { IncidentUpdateDocument } from './Changes.generated';

interface EditIncidentProps {
  incident: { id: string; version: number; title: string; description: string };
  onClose(): void;
}

export function EditIncident({ incident, onClose }: EditIncidentProps) {
  const change = useExplainedChange();
  const [title, setTitle] = useState(incident.title);
  const [description, setDescription] = useState(incident.description);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const input = { id: incident.id, expectedVersion: incident.version, title: title.trim(), description };
    if (await change(IncidentUpdateDocument, { input })) onClose();
  };
  return (
    <Dialog title="Edit the incident" onClose={onClose}>
      <form onSubmit={send} className="space-y-4">
        <TextField label="Title" required maxLength={200} value={title} onChange={(e) => setTitle(e.target.value)} />
        <TextArea label="Description" rows={6} value={description} onChange={(e) => setDescription(e.target.value)} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={!title.trim()}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
