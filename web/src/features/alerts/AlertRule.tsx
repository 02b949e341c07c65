import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { IndicatorFacts } from '../../nouns/indicator/IndicatorFacts';
import { RuleFacts } from '../../nouns/rule/RuleFacts';
import { Banner } from '../../ui/Banner';
import { legible } from '../../ui/legible';
import { type AlertRuleFragment, AlertRuleFragmentDoc } from './AlertRule.generated';

export function AlertRule({ alert }: { alert: FragmentType<AlertRuleFragment> }) {
  const { data, complete } = useFragment({ fragment: AlertRuleFragmentDoc, from: alert, fragmentName: 'AlertRule' });
  if (!complete) return null;
  if (data.indicator) return <IndicatorFacts indicator={data.indicator} />;
  if (!data.rule) {
    return (
      <p className="text-muted">
        The rule has been deleted since. Its author: {legible(data.ruleAuthor || 'unknown')}.
      </p>
    );
  }
  return (
    <div className="space-y-4">
      {data.rule.version !== data.ruleVersion && (
        <Banner tone="info" live={false} className="rounded-lg">
          {data.firedRule
            ? `What stands here is version ${data.ruleVersion}, which fired; the rule is at version ${data.rule.version} now.`
            : `Version ${data.ruleVersion} of the rule fired; this is version ${data.rule.version}.`}
        </Banner>
      )}
      <RuleFacts rule={data.rule} fired={data.firedRule} />
    </div>
  );
}
