export type IncidentTab = 'timeline' | 'alerts' | 'report';

/** Reads the tab out of the URL; the timeline is the plain page. */
export function readTab(raw: Record<string, unknown>): { tab?: IncidentTab } {
  return raw.tab === 'alerts' || raw.tab === 'report' ? { tab: raw.tab } : {};
}
