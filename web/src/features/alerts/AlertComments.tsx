import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { Time } from '../../nouns/time/Time';
import { CommentBox } from '../../ui/CommentBox';
import { legible } from '../../ui/legible';
import { useChange } from '../../ui/useChange';
import { AlertCommentDocument, type AlertCommentsFragment, AlertCommentsFragmentDoc } from './AlertComments.generated';

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
                <span className="font-semibold">{legible(comment.author?.displayName ?? 'API token')}</span>
                <Time at={comment.createdAt} className="text-faint" />
              </div>
              <p className="break-words whitespace-pre-wrap">{legible(comment.body)}</p>
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
  const change = useChange();
  return <CommentBox send={async (body) => (await change(AlertCommentDocument, { input: { id, body } })) !== null} />;
}
