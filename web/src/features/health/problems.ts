// What of the system's state somebody should look at.

import { legible } from '../../ui/legible';
import type { HealthQuery } from './Health.generated';

export type Replica = HealthQuery['serverHealth']['replicas'][number];

/** From where on a replica or feed counts as behind, or a database as slow. */
const lateEntries = 500;
const lateSeconds = 5;
const slowSeconds = 0.25;
/** From which part on a queue counts as full. */
const fullPart = 0.75;

/** What is wrong with a replica, in words; the worst first. */
export function problemsOf(replica: Replica): string[] {
  const full = (waiting: number, places: number) => places > 0 && waiting / places >= fullPart;
  return [
    replica.databaseSeconds === null && 'gets no answer from the database',
    !replica.redis && 'is without Redis: entries of other replicas reach it later',
    replica.behind >= lateEntries && `has ${replica.behind.toLocaleString('en')} entries of the journal to read`,
    full(replica.ingestWaiting, replica.ingestPlaces) && 'has more events waiting than it can store',
    replica.databaseSeconds !== null && replica.databaseSeconds >= slowSeconds && 'waits long for the database',
  ].filter((text) => typeof text === 'string');
}

/** What to look at, over all replicas and feeds. */
export function healthProblems(data: Pick<HealthQuery, 'serverHealth' | 'feedConsumers' | 'viewer'>): string[] {
  const { replicas, complete } = data.serverHealth;
  const late = (data.feedConsumers?.nodes ?? data.viewer.feeds).filter((feed) => feed.lagSeconds > lateSeconds);
  return [
    ...(complete ? [] : ['A replica does not answer, or Redis does not carry the question.']),
    ...replicas.flatMap((replica) => problemsOf(replica).map((problem) => `${legible(replica.name)} ${problem}.`)),
    ...(new Set(replicas.map((r) => r.version)).size > 1 ? ['The replicas run different versions.'] : []),
    ...late.map(
      (feed) => `The feed ${legible(feed.operation || 'without a name')} is ${feed.lagSeconds.toFixed(0)} s behind.`,
    ),
  ];
}
