// Incidents that are one attack become one: alerts, tasks and comments move, and
// what is left of the others is closed as a duplicate. It cannot be taken back.
import { useQuery } from '@apollo/client/react';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useDeferredValue, useState } from 'react';
import type { IncidentFilter } from '../../gql/schema';
import { alertsText } from '../../nouns/alert/alertsText';
import { incidentStatusLook } from '../../nouns/incident/incident';
import { MergeButtons, MergeCandidate, MergeWay, type Way } from '../../nouns/merge/Merge';
import { Dialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
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
  const [way, setWay] = useState<Way>('take');
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
        <MergeWay
          way={way}
          hint="Alerts, tasks and comments move; what goes in is closed as a duplicate. This cannot be undone."
          onChange={(next) => {
            setWay(next);
            setChosen(new Map());
          }}
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
        <MergeButtons way={way} chosen={chosen.size} busy={busy} onClose={onClose} />
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

function CandidateLine({ incident, ...choice }: CandidateLineProps) {
  return (
    <MergeCandidate
      {...choice}
      id={incident.id}
      severity={incident.severity}
      title={legible(incident.title)}
      detail={
        <>
          {incidentStatusLook[incident.status].label} · {alertsText(incident.alertCount)} ·{' '}
          {incident.assignee?.displayName ?? 'nobody'}
        </>
      }
      at={incident.updatedAt}
    />
  );
}
