export const sections = ['account', 'people', 'server', 'retention', 'groupings', 'placeholders'] as const;
export type SettingsSection = (typeof sections)[number];

/** Reads which part is shown out of the URL; the own account is the plain page. */
export function readSearch(raw: Record<string, unknown>): { section?: SettingsSection } {
  const section = sections.find((s) => s === raw.section);
  return section && section !== 'account' ? { section } : {};
}
