import { Time } from '../time/Time';
import { shipperLook, shipperState } from './shipper';

/** Whether a shipper sends, by word, shape and colour, and when it last did. */
export function ShipperBadge({ lastUsedAt }: { lastUsedAt: string | null }) {
  const { label, icon: Icon, text } = shipperLook[shipperState(lastUsedAt, Date.now())];
  return (
    <span className="inline-flex items-center gap-1.5 text-xs whitespace-nowrap">
      <Icon size={13} aria-hidden className={text} />
      <span>
        {label}
        {lastUsedAt && (
          <span className="text-muted">
            , last <Time at={lastUsedAt} />
          </span>
        )}
      </span>
    </span>
  );
}
