import type { FragmentType } from '@apollo/client';
import { useFragment, useMutation } from '@apollo/client/react';
import { type FormEvent, useState } from 'react';
import { describe } from '../../api/errors';
import { Time } from '../../nouns/time/Time';
import { Button } from '../../ui/Button';
import { notify } from '../../ui/notices';
import { AlertCommentDocument, type AlertCommentsFragment, AlertCommentsFragmentDoc } from './AlertComments.generated';

const longest = 10_000;

export function AlertComments({ alert, mayWork }: { alert: FragmentType<AlertCommentsFragment>; mayWork: boolean }) {
  const { data, complete } = useFragment({
    fragment: AlertCommentsFragmentDoc,
    from: alert,
    fragmentName: 'AlertComments',
  });
  if (!complete) return null;
  const comments = data.comments.nodes;
  return (
    <div className="space-y-4">
      {comments.length === 0 && <p className="text-muted">Nobody has commented yet.</p>}
      <ol className="space-y-3">
        {comments.map((comment) => (
          <li key={comment.id} className="flex gap-3">
            <Avatar name={comment.author?.displayName ?? '?'} />
            <div className="min-w-0 grow">
              <div className="flex items-baseline gap-2 text-xs">
                <span className="font-semibold">{comment.author?.displayName ?? 'API token'}</span>
                <Time at={comment.createdAt} className="text-faint" />
              </div>
              <p className="break-words whitespace-pre-wrap">{comment.body}</p>
            </div>
          </li>
        ))}
      </ol>
      {mayWork && <Compose id={data.id} />}
    </div>
  );
}

function Avatar({ name }: { name: string }) {
  return (
    <span
      aria-hidden
      className="inline-flex size-6 shrink-0 items-center justify-center rounded-full bg-accent-soft text-2xs font-semibold text-accent"
    >
      {name.charAt(0).toUpperCase()}
    </span>
  );
}

function Compose({ id }: { id: string }) {
  const [body, setBody] = useState('');
  const [send, { loading }] = useMutation(AlertCommentDocument);
  const submit = async (event?: FormEvent) => {
    event?.preventDefault();
    if (!body.trim() || loading) return;
    try {
      const { data } = await send({ variables: { input: { id, body: body.trim() } } });
      const problem = data?.alertComment.errors[0];
      if (problem) notify('error', problem.message);
      else setBody('');
    } catch (error) {
      notify('error', describe(error).message);
    }
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
        <Button type="submit" look="primary" disabled={!body.trim() || loading}>
          Comment
        </Button>
      </div>
    </form>
  );
}
