// The words of a channel: templates, and what they can say.
import { TextArea, TextField } from '../../ui/Field';
import type { Problems } from './draft';
import { known } from './notice';

interface WordsFieldsProps {
  subject: string;
  text: string;
  problems: Problems;
  onChange(part: { subject?: string; text?: string }): void;
}

const mono = 'w-full rounded-md border border-line-strong bg-surface px-2.5 py-1.5 font-mono text-xs text-ink';

export function WordsFields({ subject, text, problems, onChange }: WordsFieldsProps) {
  return (
    <>
      <TextField
        label="Heading"
        maxLength={500}
        spellCheck={false}
        placeholder="The usual heading"
        className={`${mono} h-8 aria-invalid:border-critical`}
        value={subject}
        problem={problems['template.subject']}
        onChange={(event) => onChange({ subject: event.target.value })}
      />
      <TextArea
        label="Text"
        rows={5}
        spellCheck={false}
        placeholder="The usual words"
        className={`${mono} aria-invalid:border-critical`}
        value={text}
        problem={problems['template.text']}
        hint="Templates of Go's text/template; empty: the usual words."
        onChange={(event) => onChange({ text: event.target.value })}
      />
      <details className="text-xs">
        <summary className="cursor-pointer text-muted hover:text-ink">What a template can say</summary>
        <dl className="mt-1 space-y-1.5">
          {known.map(([what, names]) => (
            <div key={what}>
              <dt className="text-muted">{what}</dt>
              <dd className="font-mono break-words">{names}</dd>
            </div>
          ))}
          <div>
            <dt className="text-muted">Such as</dt>
            <dd className="font-mono break-words">
              {'{{range .Alerts}}{{.Severity}}: {{.Title}} on {{.Host}}{{"\\n"}}{{end}}'}
            </dd>
          </div>
        </dl>
      </details>
    </>
  );
}
