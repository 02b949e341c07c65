// Changing a thing that has a journal: who came too late is told who was faster,
// and what they did.
import type { ApolloClient } from '@apollo/client';
import { useChange } from '../../ui/useChange';
import { LatestChangeDocument } from './LatestChange.generated';
import { actionLabel, actorText, changesText } from './words';

/** Says who changed it last and how; null for what has no journal, or where that cannot be read. */
export async function latestChangeText(client: ApolloClient, id: string): Promise<string | null> {
  try {
    const { data } = await client.query({ query: LatestChangeDocument, variables: { id }, fetchPolicy: 'no-cache' });
    const node = data?.node;
    if (!node || !('latestChanges' in node)) return null;
    // The journal of an incident tells of its alerts too: those are not what was decided on.
    const change = node.latestChanges.nodes.find(
      ({ action }) => node.__typename !== 'Incident' || action.startsWith('incident.'),
    );
    if (!change) return null;
    const what = changesText(change.changes);
    return `${actorText(change.actor)} was faster: ${actionLabel(change.action).toLowerCase()}.${what && ` ${what}.`}`;
  } catch {
    return null;
  }
}

function explain(client: ApolloClient, variables: object): Promise<string | null> {
  const id = 'input' in variables && (variables.input as { id?: unknown }).id;
  return typeof id === 'string' ? latestChangeText(client, id) : Promise.resolve(null);
}

/** Like useChange; `input.id` of the mutation is what is changed. */
export function useExplainedChange() {
  return useChange(explain);
}
