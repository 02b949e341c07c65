// Which part of the integrations is shown, as it stands in the URL.
export const sections = ['tokens', 'shippers', 'consumers'] as const;
export type IntegrationsSection = (typeof sections)[number];

export interface IntegrationsSearch {
  section?: IntegrationsSection;
  /** Whose configuration is shown: "vector". */
  shipper?: string;
}

/** Reads it out of the URL; tokens are the plain page. */
export function readSearch(raw: Record<string, unknown>): IntegrationsSearch {
  const section = sections.find((s) => s === raw.section);
  if (!section || section === 'tokens') return {};
  const shipper = section === 'shippers' && typeof raw.shipper === 'string' ? raw.shipper.slice(0, 40) : undefined;
  return { section, ...(shipper && { shipper }) };
}
