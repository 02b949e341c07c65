import { type ReactNode, useState } from 'react';
import { Button } from './Button';
import { Dialog } from './Dialog';

interface ConfirmProps {
  title: string;
  submit: string;
  onConfirm(): Promise<unknown>;
  onCancel(): void;
  children: ReactNode;
}

/** Asks before something that cannot be taken back. */
export function Confirm({ title, submit, onConfirm, onCancel, children }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  return (
    <Dialog title={title} onClose={onCancel}>
      <div className="space-y-4">
        <div>{children}</div>
        <div className="flex justify-end gap-2">
          <Button onClick={onCancel}>Cancel</Button>
          <Button
            look="danger"
            disabled={busy}
            onClick={async () => {
              setBusy(true);
              await onConfirm().finally(() => setBusy(false));
            }}
          >
            {submit}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
