import { EntityLink } from './EntityLink';

/** An address to look at, and its port. */
export function Address({ ip, port }: { ip: string; port: number | null }) {
  return (
    <>
      <EntityLink kind="ADDRESS" value={ip} />
      {port !== null && <span className="text-muted"> port {port}</span>}
    </>
  );
}
