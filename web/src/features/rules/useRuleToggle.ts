// Enabling and disabling a rule.
import { useApolloClient } from '@apollo/client/react';
import { useCallback } from 'react';
import { describe } from '../../api/errors';
import { notify } from '../../ui/notices';
import { RuleDisableDocument, RuleEnableDocument } from './RuleToggle.generated';

export function useRuleToggle(): (rule: { id: string; version: number }, enabled: boolean) => Promise<void> {
  const client = useApolloClient();
  return useCallback(
    async ({ id, version }, enabled) => {
      const variables = { input: { id, expectedVersion: version } };
      try {
        const answer = enabled
          ? (await client.mutate({ mutation: RuleEnableDocument, variables })).data?.ruleEnable
          : (await client.mutate({ mutation: RuleDisableDocument, variables })).data?.ruleDisable;
        const problem = answer?.errors[0];
        if (!problem) return;
        const changed = 'Somebody else has changed the rule meanwhile. It is shown as it is now; decide again.';
        notify('warn', problem.code === 'CONFLICT' ? changed : problem.message);
      } catch (error) {
        notify('error', describe(error).message);
      }
    },
    [client],
  );
}
