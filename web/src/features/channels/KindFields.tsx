// Where a channel leads: its kind, what that has to know, and its secret.
import clsx from 'clsx';
import type { ChannelKind } from '../../gql/schema';
import { Choice, TextArea, TextField } from '../../ui/Field';
import { type Draft, hasSecret, type Problems, withSecurity } from './draft';
import { type KindField, kindNames, kinds } from './kinds';

export function KindPicker({ kind, onChange }: { kind: ChannelKind; onChange(kind: ChannelKind): void }) {
  return (
    <fieldset>
      <legend className="mb-1 text-xs font-medium">Where it leads</legend>
      <div className="grid grid-cols-2 gap-1.5 sm:grid-cols-4">
        {kindNames.map((each) => {
          const { icon: Icon, label, becomes } = kinds[each];
          return (
            <label
              key={each}
              className={clsx(
                'relative flex min-h-12 cursor-pointer items-center gap-2 rounded-md border px-2 py-1 has-focus-visible:outline-2 has-focus-visible:outline-accent',
                each === kind ? 'border-accent bg-selected' : 'border-line hover:bg-hover',
              )}
            >
              <input
                type="radio"
                name="kind"
                className="sr-only"
                checked={each === kind}
                onChange={() => onChange(each)}
              />
              <Icon size={16} aria-hidden className="shrink-0 text-muted" />
              <span className="min-w-0 text-xs">
                <span className="block font-medium">{label}</span>
                <span className="block text-muted">{becomes}</span>
              </span>
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}

interface SettingsFieldsProps {
  draft: Draft;
  problems: Problems;
  onChange(settings: Draft['settings']): void;
}

export function SettingsFields({ draft, problems, onChange }: SettingsFieldsProps) {
  return kinds[draft.kind].fields.map((field) => (
    <SettingField
      key={field.name}
      field={field}
      value={draft.settings[field.name]}
      problem={problems[`settings.${field.name}`]}
      onChange={(text) =>
        onChange(
          field.name === 'security' ? withSecurity(draft.settings, text) : { ...draft.settings, [field.name]: text },
        )
      }
    />
  ));
}

interface SettingFieldProps {
  field: KindField;
  value: string;
  problem?: string;
  onChange(text: string): void;
}

function SettingField({ field, value, problem, onChange }: SettingFieldProps) {
  const { name, label, hint, placeholder, required } = field;
  if (name === 'security') {
    return (
      <Choice
        label={label}
        value={value}
        options={[
          ['STARTTLS', 'STARTTLS, usually on port 587'],
          ['TLS', 'TLS from the beginning, usually on port 465'],
        ]}
        problem={problem}
        onChange={onChange}
      />
    );
  }
  const shared = { label, hint, problem, placeholder, required, value, spellCheck: false };
  if (name === 'to') return <TextArea {...shared} rows={2} onChange={(event) => onChange(event.target.value)} />;
  return (
    <TextField
      {...shared}
      {...(name === 'port' && { type: 'number', min: 1, max: 65_535 })}
      {...(name === 'url' && { type: 'url', maxLength: 2_000 })}
      autoComplete="off"
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

interface SecretFieldProps {
  draft: Draft;
  /** Whether one is kept. */
  kept: boolean;
  problems: Problems;
  onChange(secret: string): void;
}

/** A secret goes in and never comes out. */
export function SecretField({ draft, kept, problems, onChange }: SecretFieldProps) {
  if (!hasSecret(draft)) return null;
  const { label, hint } = kinds[draft.kind].secret;
  return (
    <TextField
      label={label}
      type="password"
      autoComplete="new-password"
      maxLength={2_000}
      required={!kept}
      placeholder={kept ? 'Kept as it is' : undefined}
      value={draft.secret}
      problem={problems.secret}
      hint={
        <>
          {hint} It is never shown again.
          {kept && ' Empty: the one that is kept stays; a channel that leads elsewhere needs it anew.'}
        </>
      }
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
