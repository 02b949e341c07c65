// What is open on the page of webhooks, as it stands in the URL.
export interface WebhookSearch {
  /** The webhook that is open beside the list. */
  webhook?: string;
  /** Its delivery that is open. */
  delivery?: string;
}

export function readSearch(raw: Record<string, unknown>): WebhookSearch {
  const text = (value: unknown) => (typeof value === 'string' && value ? value : undefined);
  const webhook = text(raw.webhook);
  return webhook ? { webhook, delivery: text(raw.delivery) } : {};
}
