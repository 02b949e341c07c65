import { CircleCheck, CircleDot, CirclePlay, type LucideIcon } from 'lucide-react';
import type { IncidentStatus } from '../../gql/schema';

export const incidentStatuses: readonly IncidentStatus[] = ['OPEN', 'IN_PROGRESS', 'CLOSED'];

export const incidentStatusLook: Record<IncidentStatus, { label: string; icon: LucideIcon; text: string }> = {
  OPEN: { label: 'Open', icon: CircleDot, text: 'text-accent' },
  IN_PROGRESS: { label: 'In progress', icon: CirclePlay, text: 'text-warn' },
  CLOSED: { label: 'Closed', icon: CircleCheck, text: 'text-good' },
};
