// Fields before and after a change, side by side.
import { Time } from '../time/Time';
import { fieldLabel, isInstant, valueText } from './words';

interface ChangeTableProps {
  /** What was changed, for screen readers. */
  label: string;
  changes: readonly { field: string; before: unknown; after: unknown }[];
  /** Whether it was made by this: there is no before. */
  created?: boolean;
}

export function ChangeTable({ label, changes, created = false }: ChangeTableProps) {
  const cell = 'px-2 py-1 text-left align-top';
  return (
    <div className="max-w-4xl overflow-x-auto rounded-lg border border-line bg-surface">
      <table aria-label={label} className="w-full table-fixed text-xs">
        <thead className="bg-raised text-2xs text-muted">
          <tr>
            {(created ? ['Field', 'After'] : ['Field', 'Before', 'After']).map((title) => (
              <th key={title} scope="col" className={`${cell} font-medium first:w-36 max-sm:first:w-24`}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {changes.map(({ field, before, after }) => (
            <tr key={field} className="border-t border-line">
              <th scope="row" className={`${cell} font-normal text-muted`}>
                {fieldLabel(field)}
              </th>
              {!created && (
                <td className={`${cell} break-words text-muted`}>
                  <Value field={field} value={before} />
                </td>
              )}
              <td className={`${cell} break-words`}>
                <Value field={field} value={after} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Value({ field, value }: { field: string; value: unknown }) {
  return isInstant(value) ? <Time at={value} as="clock" /> : valueText(field, value);
}
