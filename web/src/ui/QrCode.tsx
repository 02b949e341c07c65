// A QR code, made here: what it holds leaves the page by nothing but a camera.
import encodeQR from 'qr';
import { useMemo } from 'react';

/** Modules of white around it, which readers need to find it (ISO/IEC 18004, 5.3.8). */
const quiet = 4;

/** Dark on white in both themes: many readers see no other. `label` says what it leads to, never what it holds. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { path, size } = useMemo(() => {
    const modules = encodeQR(text, 'raw', { ecc: 'medium', border: quiet });
    return { path: pathOf(modules), size: modules.length };
  }, [text]);
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
      className="size-44 rounded-lg border border-line"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}

/** Each stretch of dark modules of a row is one rectangle. */
export function pathOf(modules: readonly (readonly boolean[])[]): string {
  let path = '';
  modules.forEach((row, y) => {
    for (let x = 0; x < row.length; x++) {
      if (!row[x]) continue;
      const from = x;
      while (row[x + 1]) x++;
      path += `M${from} ${y}h${x + 1 - from}v1H${from}z`;
    }
  });
  return path;
}
