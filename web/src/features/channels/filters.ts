// What is open on the page of channels, as it stands in the URL.
export interface ChannelSearch {
  /** The channel that is open beside the list. */
  channel?: string;
  /** Its delivery that is open. */
  delivery?: string;
}

export function readSearch(raw: Record<string, unknown>): ChannelSearch {
  const text = (value: unknown) => (typeof value === 'string' && value ? value : undefined);
  const channel = text(raw.channel);
  return channel ? { channel, delivery: text(raw.delivery) } : {};
}
