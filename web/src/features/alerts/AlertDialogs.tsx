// Closing asks for a finding and a reason; reopening for a reason.
import { CloseDialog, ReopenDialog } from '../../nouns/alert/CloseDialog';
import type { AlertActions, Decided } from './useAlertActions';

export interface AlertDialog {
  kind: 'close' | 'reopen';
  alert: Decided;
}

interface AlertDialogsProps {
  dialog: AlertDialog | null;
  actions: AlertActions;
  onDone(): void;
}

export function AlertDialogs({ dialog, actions, onDone }: AlertDialogsProps) {
  if (!dialog) return null;
  const { kind, alert } = dialog;
  return kind === 'close' ? (
    <CloseDialog
      what="the alert"
      onCancel={onDone}
      onSubmit={async (disposition, reason) => {
        await actions.close(alert, disposition, reason);
        onDone();
      }}
    />
  ) : (
    <ReopenDialog
      what="the alert"
      onCancel={onDone}
      onSubmit={async (reason) => {
        await actions.reopen(alert, reason);
        onDone();
      }}
    />
  );
}
