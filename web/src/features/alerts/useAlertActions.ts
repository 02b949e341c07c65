// Changing an alert. Every change says which version it was decided on; when
// somebody was faster nothing is changed, and the analyst is told who and what.
import type { ApolloCache, ApolloClient } from '@apollo/client';
import { useApolloClient } from '@apollo/client/react';
import { useMemo } from 'react';
import { describe } from '../../api/errors';
import type { AlertDisposition, AlertStatus, Severity } from '../../gql/schema';
import { actionLabel, actorText, changesText, isLook } from '../../nouns/journal/words';
import { useViewer } from '../../nouns/user/useViewer';
import { notify } from '../../ui/notices';
import { sentence } from '../../ui/useChange';
import {
  AlertAcknowledgeDocument,
  AlertAssignDocument,
  AlertCloseDocument,
  AlertReopenDocument,
  AlertStartDocument,
} from './AlertActions.generated';
import { AlertLatestChangeDocument } from './AlertLatestChange.generated';
import { AlertDetachDocument, AlertMergeDocument } from './AlertMerge.generated';
import { AlertSetSeverityDocument } from './AlertSeverity.generated';
import { AlertTagDocument } from './AlertTags.generated';
import { tagged } from './tags';

/** An alert as it was decided on. */
export interface Decided {
  id: string;
  version: number;
}

interface Answer {
  errors: readonly { code: string; message: string }[];
}

export interface AlertActions {
  acknowledge(alert: Decided): Promise<boolean>;
  assign(alert: Decided, assignee: string | null): Promise<boolean>;
  close(alert: Decided, disposition: AlertDisposition, reason: string): Promise<boolean>;
  reopen(alert: Decided, reason: string): Promise<boolean>;
  start(alert: Decided): Promise<boolean>;
  /** `severity` null: the rule's. `shown` is what that comes to. */
  setSeverity(alert: Decided, severity: Severity | null, shown: Severity): Promise<boolean>;
  /** `tags` are those that it has. */
  tag(alert: Decided, change: TagChange): Promise<boolean>;
  /** Takes others into the alert, which stays. */
  merge(into: Decided, from: readonly string[]): Promise<boolean>;
  /** Takes a merged alert out of the other again. */
  detach(alert: Decided): Promise<boolean>;
}

interface TagChange {
  tags: readonly string[];
  add?: readonly string[];
  remove?: readonly string[];
}

/** What a change is expected to make of an alert. */
interface Expected {
  status?: AlertStatus;
  assignee?: string | null;
  severity?: Severity;
  tags?: readonly string[];
}

/** Each gives whether it was done; if not, a notice says why. */
export function useAlertActions(): AlertActions {
  const client = useApolloClient();
  const { viewer } = useViewer();

  return useMemo(
    () => ({
      acknowledge: ({ id, version }) =>
        attempt(client, id, { status: 'ACKNOWLEDGED', assignee: viewer?.user?.id }, async () => {
          const input = { id, expectedVersion: version, assignToViewer: true };
          return (await client.mutate({ mutation: AlertAcknowledgeDocument, variables: { input } })).data
            ?.alertAcknowledge;
        }),
      assign: ({ id, version }, assignee) =>
        attempt(client, id, { assignee }, async () => {
          const input = { id, expectedVersion: version, assignee };
          return (await client.mutate({ mutation: AlertAssignDocument, variables: { input } })).data?.alertAssign;
        }),
      close: ({ id, version }, disposition, reason) =>
        attempt(client, id, { status: 'CLOSED' }, async () => {
          const input = { id, expectedVersion: version, disposition, reason };
          return (await client.mutate({ mutation: AlertCloseDocument, variables: { input } })).data?.alertClose;
        }),
      start: ({ id, version }) =>
        attempt(client, id, { status: 'IN_PROGRESS' }, async () => {
          const input = { id, expectedVersion: version };
          return (await client.mutate({ mutation: AlertStartDocument, variables: { input } })).data?.alertStart;
        }),
      reopen: ({ id, version }, reason) =>
        attempt(client, id, { status: 'NEW' }, async () => {
          const input = { id, expectedVersion: version, reason };
          return (await client.mutate({ mutation: AlertReopenDocument, variables: { input } })).data?.alertReopen;
        }),
      setSeverity: ({ id, version }, severity, shown) =>
        attempt(client, id, { severity: shown }, async () => {
          const input = { id, expectedVersion: version, severity };
          return (await client.mutate({ mutation: AlertSetSeverityDocument, variables: { input } })).data
            ?.alertSetSeverity;
        }),
      tag: ({ id, version }, { tags, add = [], remove = [] }) =>
        attempt(client, id, { tags: tagged(tags, add, remove) }, async () => {
          const input = { id, expectedVersion: version, add: [...add], remove: [...remove] };
          return (await client.mutate({ mutation: AlertTagDocument, variables: { input } })).data?.alertTag;
        }),
      merge: ({ id, version }, from) =>
        attempt(client, from, { status: 'CLOSED' }, async () => {
          const input = { id, expectedVersion: version, from: [...from] };
          return (await client.mutate({ mutation: AlertMergeDocument, variables: { input } })).data?.alertMerge;
        }),
      detach: ({ id, version }) =>
        attempt(client, [id], { status: 'NEW' }, async () => {
          const input = { id, expectedVersion: version };
          return (await client.mutate({ mutation: AlertDetachDocument, variables: { input } })).data?.alertDetach;
        }),
    }),
    [client, viewer],
  );
}

let layers = 0;

/**
 * Shows the change at once; what the server answers takes its place, and a refusal takes it back. What is about
 * several alerts (`ids` a list) may be refused for any of them: there the server's own words say why.
 */
async function attempt(
  client: ApolloClient,
  ids: string | readonly string[],
  expected: Expected,
  work: () => Promise<Answer | undefined>,
): Promise<boolean> {
  const layer = `alert-${++layers}`;
  client.cache.recordOptimisticTransaction((cache) => {
    for (const id of typeof ids === 'string' ? [ids] : ids) foresee(cache, id, expected);
  }, layer);
  try {
    const problem = (await work())?.errors[0];
    if (!problem) return true;
    if (problem.code !== 'CONFLICT') notify('error', sentence(problem.message));
    else if (typeof ids === 'string') notify('warn', await explainConflict(client, ids));
    else notify('warn', `${sentence(problem.message)} Nothing was changed.`);
  } catch (error) {
    const { message, requestId } = describe(error);
    notify('error', requestId ? `${sentence(message)} Request ${requestId}.` : sentence(message));
  } finally {
    client.cache.removeOptimistic(layer);
  }
  return false;
}

function foresee(cache: ApolloCache, id: string, { status, assignee, severity, tags }: Expected): void {
  cache.modify({
    id: `Alert:${id}`,
    fields: {
      status: (was) => status ?? was,
      severity: (was) => severity ?? was,
      tags: (was) => tags ?? was,
      assignee: (was, { toReference, canRead }) => {
        if (assignee === undefined) return was;
        if (assignee === null) return null;
        const person = toReference({ __typename: 'User', id: assignee });
        return canRead(person) ? person : was;
      },
    },
  });
}

/** Says who changed the alert meanwhile, and how. */
async function explainConflict(client: ApolloClient, id: string): Promise<string> {
  const again = 'Nothing was changed; look at it as it is now and decide again.';
  try {
    const { data } = await client.query({
      query: AlertLatestChangeDocument,
      variables: { id },
      fetchPolicy: 'no-cache',
    });
    const change = data?.alert?.latestChanges.nodes.find((entry) => !isLook(entry.action));
    if (!change) return `The alert has changed meanwhile. ${again}`;
    const what = changesText(change.changes);
    return `${actorText(change.actor)} was faster: ${actionLabel(change.action).toLowerCase()}. ${what && `${what}. `}${again}`;
  } catch {
    return `The alert has changed meanwhile. ${again}`;
  }
}
