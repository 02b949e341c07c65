// Choosing how bad something is, the worst first.
import { Gauge } from 'lucide-react';
import type { Severity } from '../../gql/schema';
import { Button } from '../../ui/Button';
import { Menu } from '../../ui/Menu';
import { severities, severityLook } from './severity';

interface SeverityMenuProps {
  /** How bad it is now, where that is known. */
  now?: Severity;
  /** What stands beside a level. */
  detailOf?(severity: Severity): string | undefined;
  onSelect(severity: Severity): void;
}

export function SeverityMenu({ now, detailOf, onSelect }: SeverityMenuProps) {
  return (
    <Menu
      label="Severity"
      trigger={(properties) => (
        <Button icon={Gauge} {...properties}>
          Severity
        </Button>
      )}
      items={severities.map((severity) => ({
        id: severity,
        label: severityLook[severity].label,
        detail: detailOf?.(severity),
        checked: now && severity === now,
        onSelect: () => onSelect(severity),
      }))}
    />
  );
}
