// Looking again now and then, for what nothing tells of.
import { useEffect, useRef } from 'react';

/** Calls `look` every `period` milliseconds while the page is in view, and when it comes into view again. */
export function useEvery(period: number, look: () => void): void {
  const latest = useRef(look);
  latest.current = look;
  useEffect(() => {
    const visible = () => {
      if (!document.hidden) latest.current();
    };
    const timer = setInterval(visible, period);
    document.addEventListener('visibilitychange', visible);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', visible);
    };
  }, [period]);
}
