// Whatever sends events with a token of its own, and whether it does.
import { CircleCheck, CircleDashed, type LucideIcon, TriangleAlert } from 'lucide-react';

export type ShipperState = 'sending' | 'silent' | 'unused';

/** Longer without a word, and a shipper is silent. In milliseconds; last use is exact to a minute. */
export const silentAfter = 15 * 60_000;

export function shipperState(lastUsedAt: string | null, now: number): ShipperState {
  if (!lastUsedAt) return 'unused';
  return now - Date.parse(lastUsedAt) > silentAfter ? 'silent' : 'sending';
}

export const shipperLook: Record<ShipperState, { label: string; icon: LucideIcon; text: string }> = {
  sending: { label: 'Sends', icon: CircleCheck, text: 'text-good' },
  silent: { label: 'Silent', icon: TriangleAlert, text: 'text-warn' },
  unused: { label: 'Never used', icon: CircleDashed, text: 'text-faint' },
};
