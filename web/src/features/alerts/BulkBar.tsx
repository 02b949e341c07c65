// What can be done with the selected alerts, or with all that match.
import { useQuery } from '@apollo/client/react';
import { CircleCheck, CirclePlay, Eye, Merge, RotateCcw, Siren, Tags, UserRound, X } from 'lucide-react';
import { useState } from 'react';
import type { AlertBulkInput, AlertFilter } from '../../gql/schema';
import { usePulse } from '../../live/pulse';
import { CloseDialog, ReopenDialog } from '../../nouns/alert/CloseDialog';
import type { JobLineFragment } from '../../nouns/job/Job.generated';
import { SeverityMenu } from '../../nouns/severity/SeverityMenu';
import { UsersDocument } from '../../nouns/user/Users.generated';
import { Button, IconButton } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { useKeys } from '../../ui/keys';
import { Menu } from '../../ui/Menu';
import { useChange } from '../../ui/useChange';
import { AlertBulkCountDocument, AlertBulkDocument } from './Bulk.generated';
import { mostMerged } from './MergeDialog';
import { TagDialog } from './TagDialog';

interface BulkBarProps {
  ids: ReadonlySet<string>;
  /** All that match are selected, not only `ids`. */
  all: boolean;
  filter: AlertFilter;
  /** How many match the filter, and whether there may be more. */
  total: number;
  totalIsEstimate: boolean;
  onAll(): void;
  onEscalate(): void;
  onMerge(): void;
  onJob(job: JobLineFragment): void;
  onClear(): void;
}

const countPeriod = 2_000;

type Change = Omit<AlertBulkInput, 'ids' | 'filter'>;

export function BulkBar(props: BulkBarProps) {
  const { ids, all, filter, total: listed, totalIsEstimate, onAll, onEscalate, onMerge, onJob, onClear } = props;
  const change = useChange();
  const users = useQuery(UsersDocument, { fetchPolicy: 'cache-first' });
  // The list counted when it was read; meanwhile alerts have come and gone.
  const counted = useQuery(AlertBulkCountDocument, { variables: { filter }, fetchPolicy: 'cache-and-network' });
  usePulse(() => void counted.refetch().catch(() => undefined), countPeriod);
  const total = counted.data?.alertCounts.total ?? listed;
  const [dialog, setDialog] = useState<'close' | 'reopen' | 'tag' | null>(null);
  const [asking, setAsking] = useState<Change | null>(null);
  const many = `${total.toLocaleString('en')}${totalIsEstimate && !counted.data ? '+' : ''}`;
  const what = all ? `all ${many}` : ids.size === 1 ? 'the alert' : `${ids.size} alerts`;
  const send = async (what: Change) => {
    const input = all ? { ...what, filter } : { ...what, ids: [...ids] };
    const done = await change(AlertBulkDocument, { input });
    if (!done?.job) return;
    onJob(done.job);
    onClear();
  };
  // A change of all that match is asked for twice: it may be thousands.
  const run = (what: Change) => (all ? setAsking(what) : void send(what));
  // It stands above the page's own key, for as long as something is selected.
  useKeys({ a: () => run({ action: 'ACKNOWLEDGE' }), c: () => setDialog('close') });
  return (
    <div
      role="toolbar"
      aria-label="Change the selected alerts"
      className="flex flex-wrap items-center gap-2 border-b border-line bg-accent-soft px-3 py-1.5 text-xs"
    >
      <span role="status" className="font-medium tabular-nums">
        {all ? `All ${many} that match` : `${ids.size.toLocaleString('en')} selected`}
      </span>
      {!all && total > ids.size && (
        <button type="button" className="text-accent underline underline-offset-2" onClick={onAll}>
          Select all {many} that match
        </button>
      )}
      <Button icon={Eye} hint="a" onClick={() => run({ action: 'ACKNOWLEDGE' })}>
        Acknowledge
      </Button>
      <Button icon={CirclePlay} onClick={() => run({ action: 'START' })}>
        Start
      </Button>
      <Button icon={CircleCheck} onClick={() => setDialog('close')}>
        Close
      </Button>
      <Menu
        label="Assign to"
        trigger={(properties) => (
          <Button icon={UserRound} {...properties}>
            Assign
          </Button>
        )}
        items={(users.data?.users.nodes ?? []).map((person) => ({
          id: person.id,
          label: person.displayName,
          detail: person.name,
          onSelect: () => run({ action: 'ASSIGN', assignee: person.id }),
        }))}
      />
      <SeverityMenu onSelect={(severity) => run({ action: 'SET_SEVERITY', severity })} />
      <Button icon={Tags} onClick={() => setDialog('tag')}>
        Tag
      </Button>
      <Button icon={RotateCcw} onClick={() => setDialog('reopen')}>
        Reopen
      </Button>
      {!all && ids.size > 1 && ids.size <= mostMerged + 1 && (
        <Button icon={Merge} onClick={onMerge}>
          Merge
        </Button>
      )}
      {!all && (
        <Button icon={Siren} hint="e" onClick={onEscalate}>
          Escalate
        </Button>
      )}
      <IconButton icon={X} label="Clear the selection" className="ml-auto size-6" onClick={onClear} />
      {dialog === 'close' && (
        <CloseDialog
          what={what}
          onCancel={() => setDialog(null)}
          onSubmit={async (disposition, reason) => {
            setDialog(null);
            await send({ action: 'CLOSE', disposition, reason });
          }}
        />
      )}
      {dialog === 'reopen' && (
        <ReopenDialog
          what={what}
          onCancel={() => setDialog(null)}
          onSubmit={async (reason) => {
            setDialog(null);
            await send({ action: 'REOPEN', reason });
          }}
        />
      )}
      {dialog === 'tag' && (
        <TagDialog
          what={what}
          onCancel={() => setDialog(null)}
          onSubmit={async (addTags, removeTags) => {
            setDialog(null);
            await send({ action: 'TAG', addTags, removeTags });
          }}
        />
      )}
      {asking && (
        <Confirm
          title={`Change all ${many} alerts that match?`}
          submit="Change all"
          onCancel={() => setAsking(null)}
          onConfirm={async () => {
            const what = asking;
            setAsking(null);
            await send(what);
          }}
        >
          It can be undone while nobody has changed them further.
        </Confirm>
      )}
    </div>
  );
}
