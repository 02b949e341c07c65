// Enabling and disabling a rule. The switch moves at once, and back when the
// server refuses.
import { useApolloClient } from '@apollo/client/react';
import { useCallback } from 'react';
import { describe } from '../../api/errors';
import { latestChangeText } from '../../nouns/journal/useExplainedChange';
import { notify } from '../../ui/notices';
import { sentence } from '../../ui/useChange';
import { RuleDisableDocument, RuleEnableDocument } from './RuleToggle.generated';

let layers = 0;

export function useRuleToggle(): (rule: { id: string; version: number }, enabled: boolean) => Promise<void> {
  const client = useApolloClient();
  return useCallback(
    async ({ id, version }, enabled) => {
      const layer = `rule-${++layers}`;
      client.cache.recordOptimisticTransaction((cache) => {
        cache.modify({ id: `Rule:${id}`, fields: { enabled: () => enabled } });
      }, layer);
      const variables = { input: { id, expectedVersion: version } };
      try {
        const answer = enabled
          ? (await client.mutate({ mutation: RuleEnableDocument, variables })).data?.ruleEnable
          : (await client.mutate({ mutation: RuleDisableDocument, variables })).data?.ruleDisable;
        const problem = answer?.errors[0];
        if (!problem) return;
        if (problem.code === 'CONFLICT') {
          const who = (await latestChangeText(client, id)) ?? 'Somebody else has changed the rule meanwhile.';
          notify('warn', `${who} It is shown as it is now; decide again.`);
        } else notify('error', sentence(problem.message));
      } catch (error) {
        const { message, requestId } = describe(error);
        notify('error', requestId ? `${sentence(message)} Request ${requestId}.` : sentence(message));
      } finally {
        client.cache.removeOptimistic(layer);
      }
    },
    [client],
  );
}
