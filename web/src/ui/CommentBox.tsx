import { type FormEvent, useState } from 'react';
import { Button } from './Button';

const longest = 10_000;

/** Where a comment is written; `send` says whether it arrived, so that none is lost. */
export function CommentBox({ send }: { send(body: string): Promise<boolean> }) {
  const [body, setBody] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event?: FormEvent) => {
    event?.preventDefault();
    if (!body.trim() || busy) return;
    setBusy(true);
    if (await send(body.trim())) setBody('');
    setBusy(false);
  };
  return (
    <form onSubmit={submit} className="space-y-2">
      <textarea
        aria-label="Comment"
        rows={3}
        maxLength={longest}
        value={body}
        onChange={(event) => setBody(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit();
        }}
        placeholder="What you know, or what is still open"
        className="w-full rounded-lg border border-line-strong bg-surface px-3 py-2"
      />
      <div className="flex items-center justify-between">
        <span className="text-2xs text-faint">Ctrl+Enter sends</span>
        <Button type="submit" look="primary" disabled={!body.trim() || busy}>
          Comment
        </Button>
      </div>
    </form>
  );
}
