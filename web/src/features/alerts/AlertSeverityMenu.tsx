// How bad the alert is: what somebody decided stands above what the rule says.
import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { Gauge } from 'lucide-react';
import { severities, severityLook } from '../../nouns/severity/severity';
import { Button } from '../../ui/Button';
import { Menu } from '../../ui/Menu';
import { type AlertSeverityFragment, AlertSeverityFragmentDoc } from './AlertSeverity.generated';
import type { AlertActions } from './useAlertActions';

interface AlertSeverityMenuProps {
  alert: FragmentType<AlertSeverityFragment>;
  actions: AlertActions;
}

export function AlertSeverityMenu({ alert, actions }: AlertSeverityMenuProps) {
  const { data, complete } = useFragment({
    fragment: AlertSeverityFragmentDoc,
    from: alert,
    fragmentName: 'AlertSeverity',
  });
  if (!complete) return null;
  return (
    <Menu
      label="Severity"
      trigger={(properties) => (
        <Button icon={Gauge} {...properties}>
          Severity
        </Button>
      )}
      items={severities.map((severity) => {
        const ofRule = severity === data.ruleSeverity;
        return {
          id: severity,
          label: severityLook[severity].label,
          detail: ofRule ? 'as the rule says' : undefined,
          checked: severity === data.severity,
          onSelect: () => {
            // Choosing the rule's takes the override back.
            if (severity !== data.severity) void actions.setSeverity(data, ofRule ? null : severity, severity);
          },
        };
      })}
    />
  );
}
