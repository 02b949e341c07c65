// What a mapping does, field by field.
import type { EventClass, MappingTarget, Severity } from '../../gql/schema';
import { classLabel, eventClasses } from '../../nouns/event/event';
import { severities, severityLook } from '../../nouns/severity/severity';
import { Choice, TextField } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { assign, type Draft, freeTarget, nextKey, targets } from './draft';
import { RowChoice, RowInput, Rows } from './Rows';
import type { SampledPath } from './samples';

interface MappingFormProps {
  draft: Draft;
  /** What the records that are tried have. */
  paths: readonly SampledPath[];
  /** A secret is stored. */
  signed: boolean;
  readOnly: boolean;
  onChange(draft: Draft): void;
}

const pathList = 'paths-of-records';

export function MappingForm({ draft, paths, signed, readOnly, onChange }: MappingFormProps) {
  const set = (next: Partial<Draft>) => onChange({ ...draft, ...next });
  return (
    <fieldset disabled={readOnly} className="min-w-0 space-y-6">
      <legend className="sr-only">The mapping</legend>
      <datalist id={pathList}>
        {paths.map(({ path }) => (
          <option key={path} value={path} />
        ))}
      </datalist>
      <div className="grid items-start gap-3 sm:grid-cols-2">
        <TextField
          label="Name"
          required
          maxLength={28}
          value={draft.name}
          placeholder="gatekeeper"
          onChange={(event) => set({ name: event.target.value })}
          hint={`Also of its webhook: /api/ingest/webhook/${legible(draft.name) || 'NAME'}`}
        />
        <label className="flex items-center gap-2 sm:mt-5 sm:h-8">
          <input
            type="checkbox"
            checked={draft.enabled}
            onChange={(event) => set({ enabled: event.target.checked })}
            className="accent-accent"
          />
          In force
        </label>
      </div>
      {paths.length > 0 && !readOnly && <Values draft={draft} paths={paths} onChange={onChange} />}
      <Rows
        title="Where values stand"
        hint="Names joined by dots. A record without a required value is refused and becomes a dead letter."
        noun="value"
        rows={draft.fields}
        most={targets.length}
        make={() => ({ key: nextKey(), target: freeTarget(draft.fields), path: '', required: false })}
        onChange={(fields) => set({ fields })}
      >
        {(row, change, n) => (
          <>
            <RowChoice
              label={`What value ${n} is`}
              value={row.target}
              options={targets}
              onChange={(target) => change({ target: target as MappingTarget })}
            />
            <RowInput
              label={`Path of value ${n}`}
              placeholder="actor.name"
              list={pathList}
              value={row.path}
              onChange={(event) => change({ path: event.target.value })}
            />
            <label className="flex items-center gap-1.5 text-xs">
              <input
                type="checkbox"
                aria-label={`Value ${n} is required`}
                checked={row.required}
                onChange={(event) => change({ required: event.target.checked })}
                className="accent-accent"
              />
              required
            </label>
          </>
        )}
      </Rows>
      <Rows
        title="Which records it is for"
        hint="All tests hold of such a record. Without tests it is for its webhook alone."
        noun="test"
        rows={draft.tests}
        most={10}
        make={() => ({ key: nextKey(), path: '', equals: '' })}
        onChange={(tests) => set({ tests })}
      >
        {(row, change, n) => (
          <>
            <RowInput
              label={`Path of test ${n}`}
              placeholder="product"
              list={pathList}
              value={row.path}
              onChange={(event) => change({ path: event.target.value })}
            />
            <span className="text-xs text-muted">is</span>
            <RowInput
              label={`Value of test ${n}`}
              placeholder="anything"
              value={row.equals}
              onChange={(event) => change({ equals: event.target.value })}
            />
          </>
        )}
      </Rows>
      <section aria-labelledby="log-source" className="space-y-2">
        <div>
          <h2 id="log-source" className="text-sm font-semibold">
            Log source
          </h2>
          <p className="text-xs text-muted">As Sigma’s rules name it: it says which rules look at the events.</p>
        </div>
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField
            label="Product"
            maxLength={64}
            value={draft.product}
            onChange={(event) => set({ product: event.target.value })}
          />
          <TextField
            label="Category"
            maxLength={64}
            value={draft.category}
            onChange={(event) => set({ category: event.target.value })}
          />
          <TextField
            label="Service"
            maxLength={64}
            value={draft.service}
            onChange={(event) => set({ service: event.target.value })}
          />
          <Choice
            label="Class of the event"
            value={draft.class}
            options={[['', 'As found'], ...eventClasses.map((each) => [each, classLabel[each]] as const)]}
            onChange={(next) => set({ class: next as EventClass | '' })}
          />
        </div>
      </section>
      <Rows
        title="Severities"
        hint="What the product’s own words mean. Usual ones, as high or warning, are known."
        noun="severity"
        rows={draft.severities}
        most={50}
        make={() => ({ key: nextKey(), value: '', severity: 'MEDIUM' as Severity })}
        onChange={(severities) => set({ severities })}
      >
        {(row, change, n) => (
          <>
            <RowInput
              label={`Word of severity ${n}`}
              placeholder="bad"
              value={row.value}
              onChange={(event) => change({ value: event.target.value })}
            />
            <span className="text-xs text-muted">means</span>
            <RowChoice
              label={`Meaning of severity ${n}`}
              value={row.severity}
              options={severities.map((each) => [each, severityLook[each].label] as const)}
              onChange={(severity) => change({ severity: severity as Severity })}
            />
          </>
        )}
      </Rows>
      <Rows
        title="Names of fields"
        hint="The names by which Sigma’s rules look for fields."
        noun="name"
        rows={draft.renames}
        most={100}
        make={() => ({ key: nextKey(), from: '', to: '' })}
        onChange={(renames) => set({ renames })}
      >
        {(row, change, n) => (
          <>
            <RowInput
              label={`Field of name ${n}`}
              placeholder="actor.name"
              list={pathList}
              value={row.from}
              onChange={(event) => change({ from: event.target.value })}
            />
            <span className="text-xs text-muted">becomes</span>
            <RowInput
              label={`New name ${n}`}
              placeholder="User"
              value={row.to}
              onChange={(event) => change({ to: event.target.value })}
            />
          </>
        )}
      </Rows>
      <section aria-labelledby="signature" className="space-y-2">
        <div>
          <h2 id="signature" className="text-sm font-semibold">
            Signature of its webhook
          </h2>
          <p className="text-xs text-muted">
            With one, requests are taken that are signed, and no others: the header has the HMAC-SHA-256 of the body in
            hexadecimal.
          </p>
        </div>
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField
            label="Header"
            maxLength={64}
            placeholder="X-Hub-Signature-256"
            value={draft.signatureHeader}
            onChange={(event) => set({ signatureHeader: event.target.value })}
            hint={signed ? 'Empty: none is asked for, and the secret is forgotten.' : 'Empty: none is asked for.'}
          />
          <TextField
            label="Secret"
            type="password"
            autoComplete="new-password"
            maxLength={256}
            value={draft.secret}
            onChange={(event) => set({ secret: event.target.value })}
            hint={signed ? 'One is stored, and never shown. Empty: it stays.' : 'Stored encrypted, and never shown.'}
          />
        </div>
      </section>
    </fieldset>
  );
}

interface ValuesProps {
  draft: Draft;
  paths: readonly SampledPath[];
  onChange(draft: Draft): void;
}

/** The values of the records, each to be said what it is. */
function Values({ draft, paths, onChange }: ValuesProps) {
  return (
    <section aria-labelledby="values-found" className="space-y-2">
      <div>
        <h2 id="values-found" className="text-sm font-semibold">
          Values in the records
        </h2>
        <p className="text-xs text-muted">Say what each is, as far as it matters.</p>
      </div>
      <section
        aria-label="Values by their paths"
        tabIndex={0}
        className="max-h-72 overflow-auto rounded-lg border border-line"
      >
        <table className="w-full text-xs">
          <thead className="sr-only">
            <tr>
              <th scope="col">Path</th>
              <th scope="col">Value</th>
              <th scope="col">What it is</th>
            </tr>
          </thead>
          <tbody>
            {paths.map(({ path, value }) => (
              <tr key={path} className="border-t border-line first:border-t-0">
                <th scope="row" className="px-2 py-1 text-left font-mono font-normal break-all text-accent">
                  {legible(path)}
                </th>
                <td className="max-w-56 truncate px-2 py-1 font-mono" title={legible(value)}>
                  {legible(value)}
                </td>
                <td className="w-40 px-2 py-1 text-right">
                  <RowChoice
                    label={`What ${path} is`}
                    value={draft.fields.find((field) => field.path === path)?.target ?? ''}
                    options={[['', '–'], ...targets]}
                    onChange={(target) => onChange(assign(draft, path, (target || null) as MappingTarget | null))}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}
