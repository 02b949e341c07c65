// The operation of the editor as a program, and a token for it.
import { useState } from 'react';
import { CopyButton } from '../src/ui/CopyButton';
import { call, messages, type UserError } from './call';
import { useEdited } from './editor';
import { snippets } from './snippets';

const day = 24 * 60 * 60 * 1000;
const lifetime = 30;

const createToken = `mutation ($input: TokenCreateInput!) {
  tokenCreate(input: $input) { secret errors { message } }
}`;

export function UsePanel() {
  const { query, operation, variables } = useEdited();
  const all = operation
    ? snippets({ origin: location.origin, query, variables: variables ?? {}, operation: operation.operation })
    : [];
  return (
    <section aria-label="Use elsewhere" className="panel">
      <h2>Use elsewhere</h2>
      <TokenMaker scope={operation?.operation === 'mutation' ? 'WRITE' : 'READ'} />
      {all.length === 0 && <p>Write an operation first.</p>}
      {all.map(({ name, text }) => (
        <div key={name}>
          <h3>
            {name} <CopyButton text={text} label={`Copy ${name}`} />
          </h3>
          <pre>{text}</pre>
        </div>
      ))}
    </section>
  );
}

/** The secret is shown until the panel closes, and kept nowhere. */
function TokenMaker({ scope }: { scope: 'READ' | 'WRITE' }) {
  const [secret, setSecret] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const make = async () => {
    setProblem(null);
    try {
      const { tokenCreate } = await call<{ tokenCreate: { secret: string | null; errors: UserError[] } }>(createToken, {
        input: {
          name: `playground, ${new Date().toISOString().slice(0, 10)}`,
          scopes: [scope],
          expiresAt: new Date(Date.now() + lifetime * day).toISOString(),
        },
      });
      setSecret(tokenCreate.secret);
      setProblem(messages(tokenCreate.errors) || null);
    } catch (failure) {
      setProblem(String(failure instanceof Error ? failure.message : failure));
    }
  };
  return (
    <>
      <p>The snippets take an API token from the variable SECMON_TOKEN.</p>
      {secret ? (
        <p>
          <code>export SECMON_TOKEN={secret}</code>{' '}
          <CopyButton text={`export SECMON_TOKEN=${secret}`} label="Copy token" />
          <br />
          It is shown this once, and ends in {lifetime} days.
        </p>
      ) : (
        <button type="button" className="action" onClick={make}>
          Make a token that may {scope.toLowerCase()}, for {lifetime} days
        </button>
      )}
      {problem && <p role="alert">{problem}</p>}
    </>
  );
}
