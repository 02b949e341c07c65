// The rule as it is written, tried on pasted records or on what is stored.
import { useApolloClient } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import clsx from 'clsx';
import { FlaskConical } from 'lucide-react';
import { useState } from 'react';
import { describe } from '../../api/errors';
import { useQueryLine } from '../../nouns/query/useQueryLine';
import { Time } from '../../nouns/time/Time';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { TextArea } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { QueryBox } from '../../ui/QueryBox';
import { RuleTestDocument, type RuleTestQuery } from './RuleEditor.generated';

type Result = RuleTestQuery['ruleTest'];
const mostStored = 1_000;

export function RuleTest({ source, broken }: { source: string; broken: boolean }) {
  const client = useApolloClient();
  const [records, setRecords] = useState('');
  const [query, setQuery] = useState('');
  const line = useQueryLine('EVENTS', query);
  const [result, setResult] = useState<Result | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const run = async (variables: { records?: string; filter?: { query?: string } }) => {
    setBusy(true);
    setError(null);
    try {
      const { data } = await client.query({
        query: RuleTestDocument,
        variables: { source, first: mostStored, ...variables },
        fetchPolicy: 'no-cache',
      });
      setResult(data?.ruleTest ?? null);
    } catch (problem) {
      setResult(null);
      setError(describe(problem).message);
    }
    setBusy(false);
  };
  return (
    <div className="space-y-4">
      <TextArea
        label="Records, as a shipper sends them"
        rows={5}
        spellCheck={false}
        placeholder='{"EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational", "Image": "…"}'
        value={records}
        onChange={(event) => setRecords(event.target.value)}
      />
      <Button icon={FlaskConical} disabled={busy || broken || !records.trim()} onClick={() => void run({ records })}>
        Test on these records
      </Button>
      <div className="flex items-end gap-2">
        <div className="min-w-0 grow">
          <p aria-hidden className="mb-1 text-xs font-medium">
            Stored events that match
          </p>
          <QueryBox label="Stored events that match" value={query} line={line} onChange={setQuery} />
          <p className="mt-1 text-xs text-muted">
            A query line; the newest {mostStored.toLocaleString('en')} are tried. Empty: any.
          </p>
        </div>
      </div>
      <Button
        icon={FlaskConical}
        disabled={busy || broken}
        onClick={() => void run({ filter: query.trim() ? { query: query.trim() } : {} })}
      >
        Test on stored events
      </Button>
      <div role="status" className="space-y-2">
        {busy && <p className="text-muted">Testing.</p>}
        {error && <Banner tone="error">{error}</Banner>}
        {result && !busy && <Results result={result} />}
      </div>
    </div>
  );
}

function Results({ result }: { result: Result }) {
  if (result.problem) return <Banner tone="warn">The rule does not run: {result.problem.message}</Banner>;
  return (
    <>
      <p className="font-semibold">
        It fires on {result.matched.toLocaleString('en')} of {result.tried.toLocaleString('en')}
      </p>
      <ul className="space-y-2">
        {result.results.map((one) => (
          <li
            key={one.event?.id ?? `line-${one.line}`}
            className={clsx('rounded-lg border p-2 text-xs', one.matches ? 'border-accent' : 'border-line')}
          >
            <p className="flex gap-2">
              <span className="font-semibold">
                {one.error
                  ? 'Unreadable'
                  : one.matches
                    ? 'Fires'
                    : one.sameLogSource
                      ? 'Does not fire'
                      : 'Another log source'}
              </span>
              {one.event ? (
                <Link
                  to="/events"
                  search={{ event: one.event.id }}
                  className="min-w-0 truncate text-muted hover:underline"
                >
                  {legible(one.event.host)} · <Time at={one.event.occurredAt} />
                </Link>
              ) : (
                <span className="text-muted">line {one.line}</span>
              )}
              <span className="ml-auto shrink-0 text-faint">
                {[one.logSource?.product, one.logSource?.category, one.logSource?.service].filter(Boolean).join(' / ')}
              </span>
            </p>
            {one.error && <p className="text-critical">{legible(one.error)}</p>}
            {one.fields.map((field) => (
              <p key={`${field.selection}-${field.field}-${field.pattern}`} className="mt-1 font-mono break-all">
                <span className="text-faint">{legible(field.selection)}</span> {legible(field.field || 'keyword')}{' '}
                <mark>{legible(field.value)}</mark> <span className="text-muted">{legible(field.pattern)}</span>
              </p>
            ))}
          </li>
        ))}
      </ul>
    </>
  );
}
