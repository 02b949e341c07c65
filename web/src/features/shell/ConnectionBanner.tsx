// Says that the connection is lost, once it has been for a moment: most are back
// before anybody would notice.
import { WifiOff } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useConnection } from '../../api/connection';
import { Banner } from '../../ui/Banner';

const patience = 2_000;

export function ConnectionBanner() {
  const { state, lostAt } = useConnection();
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!lostAt) return;
    const timer = setTimeout(() => setLate(true), Math.max(0, lostAt + patience - Date.now()));
    return () => clearTimeout(timer);
  }, [lostAt]);
  if (!late) return null;
  return (
    <Banner tone="warn" icon={WifiOff} className="border-b border-line">
      {state === 'offline' ? 'This device is offline.' : 'The connection to the server is lost; trying again.'} What is
      shown may be out of date. It goes on from where it stopped, without a gap.
    </Banner>
  );
}
