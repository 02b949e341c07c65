// The indicator that raised an alert.
import { Link } from '@tanstack/react-router';
import type { IndicatorState, Severity } from '../../gql/schema';
import { Facts } from '../../ui/Facts';
import { legible } from '../../ui/legible';
import { SeverityBadge } from '../severity/SeverityBadge';

interface IndicatorFactsProps {
  indicator: {
    id: string;
    value: string;
    source: string;
    severity: Severity;
    confidence: number;
    state: IndicatorState;
  };
}

export function IndicatorFacts({ indicator }: IndicatorFactsProps) {
  return (
    <Facts
      rows={[
        [
          'Indicator',
          <Link
            key="i"
            to="/indicators"
            search={{ indicator: indicator.id }}
            className="break-all text-accent underline underline-offset-2"
          >
            {legible(indicator.value)}
          </Link>,
        ],
        ['Source', indicator.source],
        ['Confidence', `${indicator.confidence} of 100`],
        ['Severity', <SeverityBadge key="s" severity={indicator.severity} />],
        ['State', indicator.state.charAt(0) + indicator.state.slice(1).toLowerCase()],
      ]}
    />
  );
}
