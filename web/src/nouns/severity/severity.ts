import { CircleAlert, Info, type LucideIcon, OctagonAlert, ShieldAlert, TriangleAlert } from 'lucide-react';
import type { Severity } from '../../gql/schema';

/** Worst first, as they are shown. */
export const severities: readonly Severity[] = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFORMATIONAL'];

interface Look {
  label: string;
  /** Each level has a shape of its own: colour never stands alone. */
  icon: LucideIcon;
  text: string;
  badge: string;
  /** The colour of a chart's bar. */
  fill: string;
}

export const severityLook: Record<Severity, Look> = {
  CRITICAL: {
    label: 'Critical',
    icon: OctagonAlert,
    text: 'text-critical',
    badge: 'bg-critical-soft text-critical',
    fill: 'fill-critical-bar',
  },
  HIGH: {
    label: 'High',
    icon: TriangleAlert,
    text: 'text-high',
    badge: 'bg-high-soft text-high',
    fill: 'fill-high-bar',
  },
  MEDIUM: {
    label: 'Medium',
    icon: ShieldAlert,
    text: 'text-medium',
    badge: 'bg-medium-soft text-medium',
    fill: 'fill-medium-bar',
  },
  LOW: { label: 'Low', icon: CircleAlert, text: 'text-low', badge: 'bg-low-soft text-low', fill: 'fill-low-bar' },
  INFORMATIONAL: {
    label: 'Info',
    icon: Info,
    text: 'text-info',
    badge: 'bg-info-soft text-info',
    fill: 'fill-info-bar',
  },
};
