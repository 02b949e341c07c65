// Incidents that are one attack become one: alerts, tasks and comments move, and
// what is left of the others is closed as a duplicate. It cannot be taken back.
import { useQuery } from '@apollo/client/react';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useDeferredValue, useState } from 'react';
import type { IncidentFilter } from '../../gql/schema';
import { incidentStatusLook } from '../../nouns/incident/incident';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { Time } from '../../nouns/time/Time';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Choice, TextField } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { ErrorState, Skeleton } from '../../ui/States';
import { useChange } from '../../ui/useChange';
import {
  IncidentMergeCandidatesDocument,
  type IncidentMergeCandidatesQuery,
  IncidentMergeDocument,
} from './Changes.generated';

type Candidate = IncidentMergeCandidatesQuery['incidents']['nodes'][number];

/** Of one merge, as the server bounds it. */
const mostMerged = 20;
const mostListed = 50;

interface MergeIncidentsProps {
  incident: { id: string; version: number; title: string };
  /** This one has taken others in. */
  onMerged(): void;
  onClose(): void;
}

export function MergeIncidents({ incident, onMerged, onClose }: MergeIncidentsProps) {
  // Not explained: any of the incidents may be why it is refused, and the server says which.
  const change = useChange();
  const navigate = useNavigate();
  const [search, setSearch] = useState('');
  const [way, setWay] = useState<'take' | 'go'>('take');
  const [chosen, setChosen] = useState<ReadonlyMap<string, Candidate>>(new Map());
  const [busy, setBusy] = useState(false);
  const { data, previousData, error, refetch } = useQuery(IncidentMergeCandidatesDocument, {
    variables: { filter: openOnes(useDeferredValue(search.trim())), first: mostListed },
    fetchPolicy: 'network-only',
  });
  const found = (data ?? previousData)?.incidents;
  // What was chosen stays in sight when another search does not find it.
  const others = found?.nodes.filter((node) => node.id !== incident.id) ?? [];
  const listed = new Map([...others.map((node) => [node.id, node] as const), ...chosen]);
  const toggle = (candidate: Candidate) => {
    if (way === 'go') return setChosen(new Map([[candidate.id, candidate]]));
    const next = new Map(chosen);
    if (!next.delete(candidate.id)) next.set(candidate.id, candidate);
    setChosen(next);
  };
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const [first] = chosen.values();
    if (!first || busy) return;
    setBusy(true);
    const input =
      way === 'take'
        ? { into: incident.id, expectedVersion: incident.version, from: [...chosen.keys()] }
        : { into: first.id, expectedVersion: first.version, from: [incident.id] };
    const done = await change(IncidentMergeDocument, { input }).finally(() => setBusy(false));
    if (!done) return;
    onClose();
    if (way === 'take') onMerged();
    else void navigate({ to: '/incidents/$id', params: { id: first.id } });
  };
  return (
    <Dialog title="Merge incidents" onClose={onClose}>
      <form onSubmit={send} className="space-y-4">
        <TextField
          label="Search the open incidents"
          type="search"
          value={search}
          maxLength={200}
          onChange={(event) => setSearch(event.target.value)}
        />
        <Choice
          label="How?"
          value={way}
          options={[
            ['take', 'This one stays and takes others in'],
            ['go', 'This one goes into another'],
          ]}
          onChange={(value) => {
            setWay(value as typeof way);
            setChosen(new Map());
          }}
          hint="Alerts, tasks and comments move; what goes in is closed as a duplicate. This cannot be undone."
        />
        {error && !found ? (
          <ErrorState
            title="The incidents cannot be loaded"
            error={error}
            onRetry={() => void refetch().catch(() => undefined)}
          />
        ) : !found ? (
          <Skeleton className="h-40" />
        ) : listed.size === 0 ? (
          <p className="text-muted">
            {search.trim() ? 'No other open incident matches.' : 'No other incident is open.'}
          </p>
        ) : (
          <fieldset className="max-h-64 space-y-1 overflow-y-auto">
            <legend className="mb-1.5 text-xs font-medium">
              {way === 'take' ? 'Which ones go in?' : 'Which one stays?'}
            </legend>
            {[...listed.values()].map((candidate) => (
              <CandidateLine
                key={candidate.id}
                incident={candidate}
                kind={way === 'take' ? 'checkbox' : 'radio'}
                checked={chosen.has(candidate.id)}
                disabled={way === 'take' && chosen.size >= mostMerged && !chosen.has(candidate.id)}
                onChange={() => toggle(candidate)}
              />
            ))}
            {found.pageInfo.hasNextPage && <p className="text-xs text-muted">There are more: search for them.</p>}
          </fieldset>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={busy || chosen.size === 0}>
            {way === 'go' ? 'Merge into it' : chosen.size > 1 ? `Take ${chosen.size} in` : 'Take it in'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** The incidents that are not closed, with the words in their title. */
function openOnes(words: string): IncidentFilter {
  return {
    status: { in: ['OPEN', 'IN_PROGRESS'] },
    ...(words && { title: { contains: words } }),
  };
}

interface CandidateLineProps {
  incident: Candidate;
  kind: 'radio' | 'checkbox';
  checked: boolean;
  disabled: boolean;
  onChange(): void;
}

function CandidateLine({ incident, kind, checked, disabled, onChange }: CandidateLineProps) {
  return (
    <label className="flex cursor-pointer items-center gap-2 rounded-lg border border-line px-3 py-2 hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft">
      <input
        type={kind}
        name="candidate"
        value={incident.id}
        checked={checked}
        disabled={disabled}
        onChange={onChange}
        className="accent-accent"
      />
      <SeverityBadge severity={incident.severity} />
      <span className="min-w-0 grow">
        <span className="block truncate font-medium">{legible(incident.title)}</span>
        <span className="block truncate text-xs text-muted">
          {incidentStatusLook[incident.status].label} · {incident.alertCount.toLocaleString('en')}{' '}
          {incident.alertCount === 1 ? 'alert' : 'alerts'} · {incident.assignee?.displayName ?? 'nobody'}
        </span>
      </span>
      <span className="shrink-0 text-xs text-muted">
        <Time at={incident.updatedAt} />
      </span>
    </label>
  );
}
