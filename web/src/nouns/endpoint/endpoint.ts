interface Endpoint {
  ip: string | null;
  port: number | null;
}

/** 10.0.0.5:443, [2001:db8::1]:443, :443, or "" when nothing is known. */
export function formatEndpoint({ ip, port }: Endpoint): string {
  const host = ip?.includes(':') && port !== null ? `[${ip}]` : (ip ?? '');
  return port === null ? host : `${host}:${port}`;
}

/** "source → destination", or the one that is known, or "". */
export function formatFlow(source: Endpoint, destination: Endpoint): string {
  const [from, to] = [formatEndpoint(source), formatEndpoint(destination)];
  if (from && to) return `${from} → ${to}`;
  return from || (to && `→ ${to}`);
}
