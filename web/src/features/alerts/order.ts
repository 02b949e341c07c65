// The orders of the queue, as they stand in the URL and as the API names them.
import type { AlertOrder, Severity } from '../../gql/schema';
import { severities } from '../../nouns/severity/severity';

export const orders = ['severity', 'created'] as const;

/** Absent: latest seen first. */
export type AlertSort = (typeof orders)[number];

const names: Record<AlertSort, AlertOrder> = { severity: 'SEVERITY_DESC', created: 'CREATED_AT_DESC' };

export function orderOf(sort: AlertSort | undefined): AlertOrder {
  return sort ? names[sort] : 'LAST_SEEN_DESC';
}

export function sortOf(order: string | null): AlertSort | undefined {
  return orders.find((sort) => names[sort] === order);
}

interface Ordered {
  severity: Severity;
  lastSeen: string;
  createdAt: string;
}

/** What an alert's row is placed by: the greatest text comes first. */
export function placeOf(alert: Ordered, order: AlertOrder): string {
  if (order === 'CREATED_AT_DESC') return alert.createdAt;
  // The worst one is first in `severities`.
  if (order === 'SEVERITY_DESC') return `${severities.length - severities.indexOf(alert.severity)} ${alert.lastSeen}`;
  return alert.lastSeen;
}
