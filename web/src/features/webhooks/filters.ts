// What is open on the page of webhooks, as it stands in the URL.
export interface WebhookSearch {
  /** The webhook that is open beside the list. */
  webhook?: string;
}

export function readSearch(raw: Record<string, unknown>): WebhookSearch {
  return typeof raw.webhook === 'string' && raw.webhook ? { webhook: raw.webhook } : {};
}
