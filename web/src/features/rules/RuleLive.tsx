// The rule as it is written, on what comes in: its matches as they come.
import { useSubscription } from '@apollo/client/react';
import { useEffect, useState } from 'react';
import { describe } from '../../api/errors';
import { Banner } from '../../ui/Banner';
import { Switch } from '../../ui/Switch';
import { RuleMatchesDocument } from './RuleLive.generated';
import { RuleMatch } from './RuleMatch';
import type { RuleMatchFragment } from './RuleMatch.generated';

/** More would not be read; the hunt has them all. */
const kept = 50;

interface Seen {
  tried: number;
  skipped: number;
  matched: number;
  latest: readonly RuleMatchFragment[];
}

const nothing: Seen = { tried: 0, skipped: 0, matched: 0, latest: [] };

export function RuleLive({ source, broken }: { source: string; broken: boolean }) {
  const [on, setOn] = useState(false);
  return (
    <div className="space-y-3">
      <div className="flex items-center gap-2">
        <Switch on={on} label="Live" disabled={broken && !on} onToggle={setOn} />
        <span>
          Live: events that come in and make the rule fire as it stands here. Nothing is stored, and no alert raised.
        </span>
      </div>
      {on && broken && <p className="text-muted">Waiting until the rule is right.</p>}
      {/* Another text is another rule: it begins from nothing. */}
      {on && !broken && <Matches key={source} source={source} />}
    </div>
  );
}

function Matches({ source }: { source: string }) {
  const [seen, setSeen] = useState(nothing);
  const { error, restart } = useSubscription(RuleMatchesDocument, {
    variables: { source },
    fetchPolicy: 'no-cache',
    onData: ({ data }) => {
      const batch = data.data?.ruleMatches;
      if (!batch) return;
      setSeen((before) => ({
        tried: before.tried + batch.tried,
        skipped: before.skipped + batch.skipped,
        matched: before.matched + batch.matched,
        latest: [...batch.matches.toReversed(), ...before.latest].slice(0, kept),
      }));
    },
  });
  useEffect(() => {
    if (!error) return;
    const timer = setTimeout(restart, 5_000);
    return () => clearTimeout(timer);
  }, [error, restart]);
  return (
    <>
      <p role="status" className="font-semibold tabular-nums">
        {seen.tried === 0
          ? 'Waiting for events.'
          : `It fires on ${seen.matched.toLocaleString('en')} of ${seen.tried.toLocaleString('en')}`}
        {seen.skipped > 0 && (
          <span className="font-normal text-warn"> · {seen.skipped.toLocaleString('en')} more were not looked at</span>
        )}
      </p>
      {error && <Banner tone="error">{describe(error).message}</Banner>}
      <ul aria-label="Live matches" className="space-y-2">
        {seen.latest.map((result) => (
          <RuleMatch key={result.event?.id} result={result} />
        ))}
      </ul>
    </>
  );
}
