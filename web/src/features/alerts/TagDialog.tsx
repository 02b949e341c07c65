// Tags for many alerts at once.
import { type FormEvent, useState } from 'react';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { TagInput } from './TagInput';
import { readTags } from './tags';

interface TagDialogProps {
  /** "3 alerts". */
  what: string;
  onSubmit(add: string[], remove: string[]): Promise<unknown>;
  onCancel(): void;
}

export function TagDialog({ what, onSubmit, onCancel }: TagDialogProps) {
  const [add, setAdd] = useState('');
  const [remove, setRemove] = useState('');
  const [busy, setBusy] = useState(false);
  const [adds, removes] = [readTags(add), readTags(remove)];
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    await onSubmit(adds, removes).finally(() => setBusy(false));
  };
  const look = 'h-8 w-full rounded-md border border-line-strong bg-surface px-2.5 text-sm text-ink';
  return (
    <Dialog title={`Tag ${what}`} onClose={onCancel}>
      <form onSubmit={send} className="space-y-4">
        <TagInput label="Tags to add" value={add} onChange={setAdd} className={look} />
        <TagInput label="Tags to take off" value={remove} onChange={setRemove} className={look} />
        <p className="text-xs text-muted">Several with commas between them. They are kept in lower case.</p>
        <div className="flex justify-end gap-2">
          <Button onClick={onCancel}>Cancel</Button>
          <Button type="submit" look="primary" disabled={busy || adds.length + removes.length === 0}>
            Tag {what}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
