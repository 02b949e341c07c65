import { useOpen } from './editor';
import { grouped } from './examples';

export function ExamplesPanel() {
  const open = useOpen();
  return (
    <section aria-label="Examples" className="panel">
      <h2>Examples</h2>
      <p>Each runs as it stands. It opens in a tab of its own.</p>
      {grouped().map(([group, examples]) => (
        <div key={group}>
          <h3>{group}</h3>
          <ul>
            {examples.map((example) => (
              <li key={example.file}>
                <button type="button" className="entry" onClick={() => open(example.query)}>
                  <b>{example.title}</b>
                  {example.about && <span>{example.about}</span>}
                </button>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}
