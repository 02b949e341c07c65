import type { FragmentType } from '@apollo/client';
import { useFragment, useQuery } from '@apollo/client/react';
import { CircleCheck, CirclePlay, Eye, EyeOff, Merge, RotateCcw, Siren, UserRound } from 'lucide-react';
import type { ReactNode } from 'react';
import { UsersDocument } from '../../nouns/user/Users.generated';
import { Button } from '../../ui/Button';
import { Menu } from '../../ui/Menu';
import { type AlertActionsFragment, AlertActionsFragmentDoc } from './AlertActions.generated';
import type { AlertActions as Actions, Decided } from './useAlertActions';

interface AlertActionsProps {
  alert: FragmentType<AlertActionsFragment>;
  actions: Actions;
  onClose(alert: Decided): void;
  onReopen(alert: Decided): void;
  onEscalate(id: string): void;
  onSuppress(id: string): void;
  onMerge(alert: Decided): void;
  /** It is part of another: it can be detached, and neither reopened nor merged. */
  merged: boolean;
  children?: ReactNode;
}

export function AlertActions({
  alert,
  actions,
  onClose,
  onReopen,
  onEscalate,
  onSuppress,
  onMerge,
  merged,
  children,
}: AlertActionsProps) {
  const { data, complete } = useFragment({
    fragment: AlertActionsFragmentDoc,
    from: alert,
    fragmentName: 'AlertActions',
  });
  const users = useQuery(UsersDocument, { fetchPolicy: 'cache-first' });
  if (!complete) return null;
  const people = users.data?.users.nodes ?? [];
  const closed = data.status === 'CLOSED';
  return (
    <div className="flex flex-wrap gap-2 px-4 pb-3">
      {data.status === 'NEW' && (
        <Button look="primary" icon={Eye} hint="a" onClick={() => actions.acknowledge(data)}>
          Acknowledge
        </Button>
      )}
      {data.status === 'ACKNOWLEDGED' && (
        <Button icon={CirclePlay} hint="w" onClick={() => actions.start(data)}>
          Start
        </Button>
      )}
      {merged ? null : closed ? (
        <Button icon={RotateCcw} onClick={() => onReopen(data)}>
          Reopen
        </Button>
      ) : (
        <Button
          look={data.status === 'NEW' ? 'secondary' : 'primary'}
          icon={CircleCheck}
          hint="c"
          onClick={() => onClose(data)}
        >
          Close
        </Button>
      )}
      <Button icon={Siren} hint="e" onClick={() => onEscalate(data.id)}>
        Escalate
      </Button>
      <Button icon={EyeOff} hint="s" onClick={() => onSuppress(data.id)}>
        Suppress…
      </Button>
      <Menu
        label="Assign to"
        trigger={(properties) => (
          <Button icon={UserRound} {...properties}>
            Assign
          </Button>
        )}
        items={[
          {
            id: '',
            label: 'Nobody',
            checked: data.assignee === null,
            onSelect: () => void actions.assign(data, null),
          },
          ...people.map((person) => ({
            id: person.id,
            label: person.displayName,
            detail: person.name,
            checked: data.assignee?.id === person.id,
            onSelect: () => void actions.assign(data, person.id),
          })),
        ]}
      />
      {children}
      {!merged && (
        <Button icon={Merge} onClick={() => onMerge(data)}>
          Merge
        </Button>
      )}
    </div>
  );
}
