// Above every page while the server holds no event: how to send the first one;
// and that it has come, once it has.
import { useQuery } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import { CircleCheck, Rocket } from 'lucide-react';
import { useEffect, useState } from 'react';
import { FirstSteps } from '../../nouns/event/FirstSteps';
import { Button } from '../../ui/Button';
import { FirstRunDocument } from './FirstRun.generated';

const period = 2_000;
const storageKey = 'secmon.firstSteps';

export function FirstRun() {
  // Nobody is told of an arrival who has not waited for it.
  const [state, setState] = useState<'unknown' | 'waiting' | 'arrived' | 'over'>('unknown');
  const [shown, setShown] = useState(() => sessionStorage.getItem(storageKey) !== 'hidden');
  const { data } = useQuery(FirstRunDocument, {
    pollInterval: state === 'waiting' ? period : 0,
    skip: state === 'arrived' || state === 'over',
  });
  const empty = data && data.events.nodes.length === 0;
  useEffect(() => {
    if (empty === undefined) return;
    setState((was) => (empty ? 'waiting' : was === 'waiting' ? 'arrived' : 'over'));
  }, [empty]);
  const toggle = () => {
    setShown(!shown);
    sessionStorage.setItem(storageKey, shown ? 'hidden' : 'shown');
  };
  if (state === 'arrived') {
    return (
      <section
        aria-label="First steps"
        className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-good-soft px-4 py-2 print:hidden"
      >
        <CircleCheck size={16} aria-hidden className="shrink-0 text-good" />
        <p role="status" className="font-medium">
          The first event has come in.
        </p>
        <Link to="/events" className="text-accent underline underline-offset-2">
          See it
        </Link>
        <Link to="/alerts" className="text-accent underline underline-offset-2">
          See the alerts
        </Link>
        <Button look="ghost" className="ml-auto" onClick={() => setState('over')}>
          Close
        </Button>
      </section>
    );
  }
  if (state !== 'waiting') return null;
  return (
    <section
      aria-labelledby="first-steps"
      className="max-h-[60%] shrink-0 overflow-y-auto border-b border-line bg-surface px-4 py-3 print:hidden"
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Rocket size={16} aria-hidden className="shrink-0 text-accent" />
        <h2 id="first-steps" className="text-base font-semibold">
          Nothing has come in yet
        </h2>
        <p className="flex items-center gap-2 text-xs text-muted max-sm:hidden">
          <span aria-hidden className="size-2 animate-pulse rounded-full bg-accent" />
          Waiting for the first event
        </p>
        <Button look="ghost" className="ml-auto" aria-expanded={shown} onClick={toggle}>
          {shown ? 'Hide the first steps' : 'Show the first steps'}
        </Button>
      </div>
      {shown && (
        <div className="mx-auto mt-3 max-w-6xl">
          <FirstSteps />
        </div>
      )}
    </section>
  );
}
