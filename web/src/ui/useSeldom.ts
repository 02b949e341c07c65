import { useEffect, useRef, useState } from 'react';

/** `value`, at most once in `period` ms: for what is read out, which must not interrupt itself. */
export function useSeldom<T>(value: T, period: number): T {
  const [told, setTold] = useState(value);
  const at = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    const tell = () => {
      at.current = performance.now();
      setTold(value);
    };
    const timer = setTimeout(tell, Math.max(0, at.current + period - performance.now()));
    return () => clearTimeout(timer);
  }, [value, period]);
  return told;
}
