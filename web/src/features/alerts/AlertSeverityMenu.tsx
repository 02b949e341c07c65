// How bad the alert is: what somebody decided stands above what the rule says.
import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { SeverityMenu } from '../../nouns/severity/SeverityMenu';
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
    <SeverityMenu
      now={data.severity}
      detailOf={(severity) => (severity === data.ruleSeverity ? 'as the rule says' : undefined)}
      onSelect={(severity) => {
        // Choosing the rule's takes the override back.
        const override = severity === data.ruleSeverity ? null : severity;
        if (severity !== data.severity) void actions.setSeverity(data, override, severity);
      }}
    />
  );
}
