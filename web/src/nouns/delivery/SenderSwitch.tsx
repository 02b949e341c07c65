// Whether a webhook or a channel works: switched on or off, and let go on.
import { Play } from 'lucide-react';
import type { WebhookState } from '../../gql/schema';
import { Button } from '../../ui/Button';
import { Switch } from '../../ui/Switch';

interface SenderSwitchProps {
  sender: { enabled: boolean; state: WebhookState };
  onToggle(on: boolean): Promise<unknown>;
  /** Tries what waits now, and goes on where it stopped by itself. */
  onGoOn(): Promise<unknown>;
}

export function SenderSwitch({ sender, onToggle, onGoOn }: SenderSwitchProps) {
  return (
    <>
      <Switch label="Switched on" on={sender.enabled} onToggle={(on) => void onToggle(on)} />
      {sender.enabled && sender.state !== 'ACTIVE' && (
        <Button icon={Play} onClick={() => void onGoOn()}>
          {sender.state === 'PAUSED' ? 'Go on' : 'Try now'}
        </Button>
      )}
    </>
  );
}
