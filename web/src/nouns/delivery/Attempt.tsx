// One try to send, in words, and what was answered.
import { legible } from '../../ui/legible';

/** "connection refused", "HTTP 200"; mail has no status. */
export function attemptText({ status, error }: { status: number | null; error: string | null }): string {
  return error ?? (status === null ? 'taken' : `HTTP ${status}`);
}

/** The beginning of an answer's body. */
export function Answer({ text }: { text: string }) {
  return (
    <pre className="mt-1 rounded-md bg-raised p-1 font-mono break-all whitespace-pre-wrap text-ink">
      {legible(text)}
    </pre>
  );
}
