// When a channel keeps still.
import type { Severity } from '../../gql/schema';
import { severities } from '../../nouns/severity/severity';
import { Choice, TextField } from '../../ui/Field';
import { firstQuiet, type Problems, type QuietDraft, timeZones, weekdays } from './draft';
import { dayText, severityText } from './words';

interface QuietFieldsProps {
  quiet: QuietDraft | null;
  problems: Problems;
  onChange(quiet: QuietDraft | null): void;
}

export function QuietFields({ quiet, problems, onChange }: QuietFieldsProps) {
  return (
    <fieldset className="space-y-3">
      <legend className="sr-only">Quiet hours</legend>
      <label className="flex min-h-7 items-center gap-2 text-xs font-medium">
        <input
          type="checkbox"
          className="accent-accent"
          checked={quiet !== null}
          onChange={(event) =>
            onChange(event.target.checked ? firstQuiet(Intl.DateTimeFormat().resolvedOptions().timeZone) : null)
          }
        />
        Quiet hours: what comes then is summed up at their end
      </label>
      {quiet && <Hours quiet={quiet} problems={problems} onChange={(part) => onChange({ ...quiet, ...part })} />}
    </fieldset>
  );
}

interface HoursProps {
  quiet: QuietDraft;
  problems: Problems;
  onChange(part: Partial<QuietDraft>): void;
}

function Hours({ quiet, problems, onChange }: HoursProps) {
  return (
    <div className="space-y-3 border-l-2 border-line pl-3">
      <div className="grid grid-cols-2 gap-3">
        <TextField
          label="From"
          type="time"
          required
          value={quiet.from}
          problem={problems['quiet.from']}
          onChange={(event) => onChange({ from: event.target.value })}
        />
        <TextField
          label="Until"
          type="time"
          required
          value={quiet.to}
          problem={problems['quiet.to']}
          hint={quiet.to <= quiet.from ? 'On the next day' : undefined}
          onChange={(event) => onChange({ to: event.target.value })}
        />
      </div>
      <Choice
        label="Time zone"
        value={quiet.timeZone}
        options={timeZones(quiet.timeZone).map((zone) => [zone, zone.replaceAll('_', ' ')] as const)}
        problem={problems['quiet.timeZone']}
        onChange={(timeZone) => onChange({ timeZone })}
      />
      <fieldset>
        <legend className="mb-1 text-xs font-medium">Beginning on</legend>
        <div className="flex flex-wrap gap-x-3">
          {weekdays.map((day) => (
            <label key={day} className="flex min-h-7 items-center gap-1.5 text-xs">
              <input
                type="checkbox"
                className="accent-accent"
                checked={quiet.days.includes(day)}
                onChange={(event) =>
                  onChange({
                    days: event.target.checked ? [...quiet.days, day] : quiet.days.filter((other) => other !== day),
                  })
                }
              />
              {dayText(day)}
            </label>
          ))}
        </div>
        <p className="text-xs text-muted">{problems['quiet.days'] ?? 'None: every day.'}</p>
      </fieldset>
      <Choice
        label="Told of at once even so"
        value={quiet.unless}
        options={[['', 'Nothing'], ...severities.map((severity) => [severity, severityText(severity)] as const)]}
        problem={problems['quiet.unless']}
        onChange={(unless) => onChange({ unless: unless as Severity | '' })}
      />
    </div>
  );
}
