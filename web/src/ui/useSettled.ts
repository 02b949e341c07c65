import { useEffect, useState } from 'react';

/** `value` as it was when it had stayed the same for `pause` milliseconds: what is typed, once typing rests. */
export function useSettled<T>(value: T, pause: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), pause);
    return () => clearTimeout(timer);
  }, [value, pause]);
  return settled;
}
