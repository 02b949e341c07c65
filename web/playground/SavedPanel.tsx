// Operations that are kept on the server: to run again, as a feed or a tile.
import { type FormEvent, useCallback, useEffect, useState } from 'react';
import { call, messages, type UserError } from './call';
import { useEdited, useOpen } from './editor';

type Kind = 'SNIPPET' | 'FEED' | 'TILE';

interface Saved {
  id: string;
  name: string;
  kind: Kind;
  shared: boolean;
  document: string;
  variables: object;
  owner: { name: string } | null;
}

const listSaved = `query ($after: String) {
  savedOperations(first: 100, after: $after) {
    nodes { id name kind shared document variables owner { name } }
    pageInfo { hasNextPage endCursor }
  }
}`;
const createSaved = `mutation ($input: SavedOperationCreateInput!) {
  savedOperationCreate(input: $input) { errors { message } }
}`;
const deleteSaved = `mutation ($id: ID!) { savedOperationDelete(input: { id: $id }) { errors { message } } }`;

interface SavedPage {
  savedOperations: { nodes: Saved[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

async function readAll(): Promise<Saved[]> {
  const all: Saved[] = [];
  for (let after: string | null = null; ; ) {
    const { savedOperations }: SavedPage = await call<SavedPage>(listSaved, { after });
    all.push(...savedOperations.nodes);
    after = savedOperations.pageInfo.endCursor;
    if (!savedOperations.pageInfo.hasNextPage || !after) return all;
  }
}

const said = (failure: unknown) => (failure instanceof Error ? failure.message : String(failure));

export function SavedPanel() {
  const open = useOpen();
  const [saved, setSaved] = useState<Saved[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const load = useCallback(() => readAll().then(setSaved, (failure) => setProblem(said(failure))), []);
  useEffect(() => {
    void load();
  }, [load]);
  const remove = async (id: string) => {
    try {
      const { savedOperationDelete } = await call<{ savedOperationDelete: { errors: UserError[] } }>(deleteSaved, {
        id,
      });
      setProblem(messages(savedOperationDelete.errors) || null);
    } catch (failure) {
      setProblem(said(failure));
    }
    await load();
  };
  return (
    <section aria-label="Saved operations" className="panel">
      <h2>Saved</h2>
      <SaveForm onSaved={load} />
      {problem && <p role="alert">{problem}</p>}
      {saved?.length === 0 && <p>Nothing is saved yet.</p>}
      <ul>
        {saved?.map((each) => (
          <li key={each.id} className="saved">
            <button
              type="button"
              className="entry"
              onClick={() =>
                open(each.document, Object.keys(each.variables).length ? JSON.stringify(each.variables, null, 2) : '')
              }
            >
              <b>{each.name}</b>
              <span>
                {each.kind.toLowerCase()}
                {each.shared ? `, shared by ${each.owner?.name ?? 'a token'}` : ', your own'}
              </span>
            </button>
            <button
              type="button"
              className="remove"
              aria-label={`Take away ${each.name}`}
              onClick={() => remove(each.id)}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

const kinds: Record<'query' | 'mutation' | 'subscription', [Kind, string][]> = {
  query: [
    ['SNIPPET', 'a snippet, to run by hand'],
    ['TILE', 'a tile of a dashboard'],
  ],
  mutation: [['SNIPPET', 'a snippet, to run by hand']],
  subscription: [
    ['FEED', 'a feed of an integration'],
    ['SNIPPET', 'a snippet, to run by hand'],
  ],
};

function SaveForm({ onSaved }: { onSaved: () => Promise<void> }) {
  const { query, operation, variablesText } = useEdited();
  const [problem, setProblem] = useState<string | null>(null);
  if (!operation) return <p>Write an operation to save it.</p>;
  const save = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    try {
      const { savedOperationCreate } = await call<{ savedOperationCreate: { errors: UserError[] } }>(createSaved, {
        input: {
          name: given.get('name'),
          kind: given.get('kind'),
          shared: given.get('shared') === 'on',
          document: query,
          variables: variablesText || '{}',
        },
      });
      setProblem(messages(savedOperationCreate.errors) || null);
      if (savedOperationCreate.errors.length === 0) {
        form.reset();
        await onSaved();
      }
    } catch (failure) {
      setProblem(said(failure));
    }
  };
  return (
    <form onSubmit={save}>
      <label>
        Name
        <input
          name="name"
          required
          maxLength={100}
          defaultValue={operation.name?.value ?? ''}
          key={operation.name?.value}
        />
      </label>
      <label>
        Save as
        <select name="kind">
          {kinds[operation.operation].map(([kind, says]) => (
            <option key={kind} value={kind}>
              {says}
            </option>
          ))}
        </select>
      </label>
      <label className="check">
        <input type="checkbox" name="shared" /> Everybody sees it
      </label>
      <button type="submit" className="action">
        Save
      </button>
      {problem && <p role="alert">{problem}</p>}
    </form>
  );
}
