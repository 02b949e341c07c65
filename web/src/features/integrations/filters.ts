export const sections = ['tokens', 'shippers', 'consumers'] as const;
export type IntegrationsSection = (typeof sections)[number];

/** Reads which part is shown out of the URL; tokens are the plain page. */
export function readSearch(raw: Record<string, unknown>): { section?: IntegrationsSection } {
  const section = sections.find((s) => s === raw.section);
  return section && section !== 'tokens' ? { section } : {};
}
