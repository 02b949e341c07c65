import { CircleCheck, TriangleAlert, VolumeX } from 'lucide-react';
import type { SourceState } from '../../gql/schema';
import { Mark, type MarkLook } from '../../ui/Mark';

const looks: Record<SourceState, MarkLook> = {
  HEALTHY: { label: 'Healthy', icon: CircleCheck, className: 'text-good' },
  FAILING: { label: 'Failing', icon: TriangleAlert, className: 'text-warn' },
  SILENT: { label: 'Silent', icon: VolumeX, className: 'text-critical' },
};

export function SourceBadge({ state }: { state: SourceState }) {
  return <Mark look={looks[state]} />;
}
