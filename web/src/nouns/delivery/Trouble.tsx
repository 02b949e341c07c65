// Why nothing arrives, where nothing does.
import { Banner } from '../../ui/Banner';
import { legible } from '../../ui/legible';
import { Time } from '../time/Time';

interface TroubleProps {
  sender: { pauseText: string | null; failingSince: string | null; lastError: string | null };
}

export function Trouble({ sender }: TroubleProps) {
  if (sender.pauseText) {
    return (
      <Banner tone="warn" className="rounded-md">
        It stopped: {legible(sender.pauseText)}. Nothing is lost while the journal is kept.
      </Banner>
    );
  }
  if (!sender.failingSince) return null;
  return (
    <Banner tone="warn" className="rounded-md">
      Nothing has arrived since <Time at={sender.failingSince} />: {legible(sender.lastError ?? '')}. It is tried again
      for three days.
    </Banner>
  );
}
