import { CircleCheck, CircleDot, CirclePlay, Eye, type LucideIcon } from 'lucide-react';
import type { AlertDisposition, AlertStatus } from '../../gql/schema';

export const statuses: readonly AlertStatus[] = ['NEW', 'ACKNOWLEDGED', 'IN_PROGRESS', 'CLOSED'];

export const statusLook: Record<AlertStatus, { label: string; icon: LucideIcon; text: string }> = {
  NEW: { label: 'New', icon: CircleDot, text: 'text-accent' },
  ACKNOWLEDGED: { label: 'Acknowledged', icon: Eye, text: 'text-warn' },
  IN_PROGRESS: { label: 'In progress', icon: CirclePlay, text: 'text-warn' },
  CLOSED: { label: 'Closed', icon: CircleCheck, text: 'text-good' },
};

export const dispositions: readonly AlertDisposition[] = ['TRUE_POSITIVE', 'BENIGN', 'FALSE_POSITIVE', 'DUPLICATE'];

export const dispositionLook: Record<AlertDisposition, { label: string; meaning: string }> = {
  TRUE_POSITIVE: { label: 'True positive', meaning: 'An attack.' },
  BENIGN: { label: 'Benign', meaning: 'What the rule describes, but allowed.' },
  FALSE_POSITIVE: { label: 'False positive', meaning: 'Not what the rule describes.' },
  DUPLICATE: { label: 'Duplicate', meaning: 'The same as another alert.' },
};
