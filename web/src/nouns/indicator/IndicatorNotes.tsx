// That sources of threat intelligence warn of something.
import { Link } from '@tanstack/react-router';
import type { IndicatorState, Severity } from '../../gql/schema';
import { legible } from '../../ui/legible';
import { SeverityBadge } from '../severity/SeverityBadge';

interface IndicatorNote {
  id: string;
  value: string;
  source: string;
  severity: Severity;
  confidence: number;
  state: IndicatorState;
}

export function IndicatorNotes({ indicators }: { indicators: readonly IndicatorNote[] }) {
  if (indicators.length === 0) return null;
  return (
    <ul aria-label="Indicators" className="mt-2 flex flex-wrap gap-2">
      {indicators.map((indicator) => (
        <li
          key={indicator.id}
          className="flex items-center gap-2 rounded border border-line bg-surface px-2 py-1 text-xs"
        >
          <SeverityBadge severity={indicator.severity} />
          <Link
            to="/indicators"
            search={{ indicator: indicator.id }}
            className="text-accent underline underline-offset-2"
          >
            Indicator {legible(indicator.value)} of {legible(indicator.source)}
          </Link>
          <span className="text-muted">
            confidence {indicator.confidence}
            {indicator.state !== 'ACTIVE' && `, ${indicator.state.toLowerCase()}`}
          </span>
        </li>
      ))}
    </ul>
  );
}
