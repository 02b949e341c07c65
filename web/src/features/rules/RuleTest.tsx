// The rule as it is written, tried on pasted records or on what is stored.
import { useApolloClient } from '@apollo/client/react';
import { FlaskConical } from 'lucide-react';
import { useState } from 'react';
import { describe } from '../../api/errors';
import { useQueryLine } from '../../nouns/query/useQueryLine';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { TextArea } from '../../ui/Field';
import { QueryBox } from '../../ui/QueryBox';
import { AppliedFilters } from './AppliedFilters';
import { RuleTestDocument, type RuleTestQuery } from './RuleEditor.generated';
import { RuleMatch } from './RuleMatch';

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
      <AppliedFilters filters={result.filters} />
      <ul className="space-y-2">
        {result.results.map((one) => (
          <RuleMatch key={one.event?.id ?? `line-${one.line}`} result={one} />
        ))}
      </ul>
    </>
  );
}
