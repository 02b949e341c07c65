// How long events are kept, by their source, and what another setting would do to
// the days that are there.
import type { RetentionRuleInput } from '../../gql/schema';
import { formatDuration, secondsOf } from '../../nouns/time/duration';

/** Of several rules that fit an event the first counts. */
export type Rule = Required<Pick<RetentionRuleInput, 'name' | 'product' | 'category' | 'service' | 'format' | 'keep'>>;

export interface Keeping {
  /** What no rule fits; ISO 8601, PT0S for ever. */
  keep: string;
  rules: readonly Rule[];
}

export interface Day {
  /** Its beginning, in UTC. */
  day: string;
  events: number;
  bytes: number;
}

export const sourceFields = ['product', 'category', 'service', 'format'] as const;
type Source = Record<(typeof sourceFields)[number], string>;

const dayLength = 86_400_000;
const everything: Source = { product: '', category: '', service: '', format: '' };

/** Events whose time another setting makes longer or shorter. */
export interface Change {
  source: Source;
  from: string;
  to: string;
  shorter: boolean;
}

/** In words: "product aws, format vpcflow"; "all other events" for what is not narrowed. */
export function sourceText(source: Source): string {
  const named = sourceFields.filter((field) => source[field] !== '');
  return named.length === 0 ? 'all other events' : named.map((field) => `${field} ${source[field]}`).join(', ');
}

export function keepText(keep: string): string {
  return secondsOf(keep) === 0 ? 'for ever' : formatDuration(keep);
}

/** What both are about; null when nothing can be. */
function meet(a: Source, b: Source): Source | null {
  const both = { ...everything };
  for (const field of sourceFields) {
    if (a[field] && b[field] && a[field] !== b[field]) return null;
    both[field] = a[field] || b[field];
  }
  return both;
}

function covers(rule: Source, source: Source): boolean {
  return sourceFields.every((field) => rule[field] === '' || rule[field] === source[field]);
}

function milliseconds(keep: string): number {
  return (secondsOf(keep) ?? 0) * 1_000 || Number.POSITIVE_INFINITY;
}

function classesOf({ keep, rules }: Keeping): { source: Source; keep: string; before: readonly Rule[] }[] {
  return [
    ...rules.map((rule, i) => ({ source: rule, keep: rule.keep, before: rules.slice(0, i) })),
    { source: everything, keep, before: rules },
  ];
}

/** Whose time changes: each class of the one setting beside each of the other, without those that no event can be in. */
export function changesOf(was: Keeping, is: Keeping): Change[] {
  const changes: Change[] = [];
  for (const old of classesOf(was)) {
    for (const fresh of classesOf(is)) {
      const source = meet(old.source, fresh.source);
      if (!source || [...old.before, ...fresh.before].some((rule) => covers(rule, source))) continue;
      const [from, to] = [milliseconds(old.keep), milliseconds(fresh.keep)];
      if (from !== to) changes.push({ source, from: old.keep, to: fresh.keep, shorter: to < from });
    }
  }
  return changes;
}

/** When the events of a day have ended, in milliseconds: its youngest came a day after its beginning. */
export function endOf(day: string, keep: string): number {
  return Date.parse(day) + dayLength + milliseconds(keep);
}

/** When the last of a day goes; null: never. */
export function leaves(day: string, { keep, rules }: Keeping): number | null {
  const last = Math.max(...[keep, ...rules.map((rule) => rule.keep)].map((each) => endOf(day, each)));
  return Number.isFinite(last) ? last : null;
}

export interface Loss {
  /** Days that go as a whole, the oldest first. */
  whole: readonly Day[];
  /** Days of which some sources go. */
  part: readonly Day[];
}

/** What goes at once by a change that would not go without it. */
export function lossOf(days: readonly Day[], was: Keeping, is: Keeping, now: number): Loss {
  const shorter = changesOf(was, is).filter((change) => change.shorter);
  const hit = days.filter(({ day }) =>
    shorter.some((change) => endOf(day, change.to) <= now && endOf(day, change.from) > now),
  );
  const isWhole = ({ day }: Day) => {
    const last = leaves(day, is);
    return last !== null && last <= now;
  };
  return { whole: hit.filter(isWhole), part: hit.filter((day) => !isWhole(day)) };
}

/** What keeps a rule from being saved; null when nothing does. */
export function ruleProblem(rule: Rule): string | null {
  if (sourceFields.every((field) => rule[field].trim() === ''))
    return 'Say at least one of product, category, service or format.';
  return keepProblem(rule.keep);
}

/** Why a time cannot be taken. */
export function keepProblem(keep: string): string | null {
  const seconds = secondsOf(keep);
  if (seconds === null) return 'Say how long, or 0 for ever.';
  return seconds > 0 && seconds < 86_400 ? 'A day at least, or 0 for ever.' : null;
}
