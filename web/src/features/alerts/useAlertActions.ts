// Changing an alert. Every change says which version it was decided on; when
// somebody was faster nothing is changed, and the analyst is told who and what.
import type { ApolloClient } from '@apollo/client';
import { useApolloClient } from '@apollo/client/react';
import { useMemo } from 'react';
import { describe } from '../../api/errors';
import type { AlertDisposition, AlertStatus } from '../../gql/schema';
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
    }),
    [client, viewer],
  );
}

let layers = 0;

/** Shows the change at once; what the server answers takes its place, and a refusal takes it back. */
async function attempt(
  client: ApolloClient,
  id: string,
  expected: { status?: AlertStatus; assignee?: string | null },
  work: () => Promise<Answer | undefined>,
): Promise<boolean> {
  const layer = `alert-${++layers}`;
  client.cache.recordOptimisticTransaction((cache) => {
    cache.modify({
      id: `Alert:${id}`,
      fields: {
        status: (was) => expected.status ?? was,
        assignee: (was, { toReference, canRead }) => {
          if (expected.assignee === undefined) return was;
          if (expected.assignee === null) return null;
          const person = toReference({ __typename: 'User', id: expected.assignee });
          return canRead(person) ? person : was;
        },
      },
    });
  }, layer);
  try {
    const problem = (await work())?.errors[0];
    if (!problem) return true;
    if (problem.code === 'CONFLICT') notify('warn', await explainConflict(client, id));
    else notify('error', sentence(problem.message));
  } catch (error) {
    const { message, requestId } = describe(error);
    notify('error', requestId ? `${sentence(message)} Request ${requestId}.` : sentence(message));
  } finally {
    client.cache.removeOptimistic(layer);
  }
  return false;
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
