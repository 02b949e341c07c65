// A channel's settings in words.
import type { Weekday } from '../../gql/schema';
import { severityLook } from '../../nouns/severity/severity';
import type { ChannelFactsFragment } from './Channels.generated';
import { weekdays } from './draft';

type Facts = Pick<ChannelFactsFragment, 'kind' | 'settings' | 'trigger' | 'afterMinutes' | 'groupMinutes' | 'quiet'>;

/** "at once", "after 15 minutes": when it tells. */
export function triggerText({ trigger, afterMinutes }: Pick<Facts, 'trigger' | 'afterMinutes'>): string {
  return trigger === 'ALERT' ? 'at once' : `after ${minutesText(afterMinutes)}`;
}

export function groupText(minutes: number): string {
  return minutes === 0 ? 'each alert by itself' : `at most one message in ${minutesText(minutes)}`;
}

/** "22:00 to 07:00 (Europe/Berlin), beginning on Mon, Tue; not for Critical". */
export function quietText(quiet: NonNullable<Facts['quiet']>): string {
  const days = weekdays.filter((day) => quiet.days.includes(day)).map(dayText);
  const parts = [`${quiet.from} to ${quiet.to} (${quiet.timeZone})`];
  if (days.length > 0) parts.push(`, beginning on ${days.join(', ')}`);
  if (quiet.unless) parts.push(`; not for ${severityText(quiet.unless)}`);
  return parts.join('');
}

export function severityText(severity: keyof typeof severityLook): string {
  const { label } = severityLook[severity];
  return severity === 'CRITICAL' ? label : `${label} or worse`;
}

/** "Mon". */
export function dayText(day: Weekday): string {
  return `${day.charAt(0)}${day.slice(1, 3).toLowerCase()}`;
}

/** Where exactly it leads, without its secret; empty where that is the secret. */
export function placeText({ kind, settings }: Pick<Facts, 'kind' | 'settings'>): string {
  switch (kind) {
    case 'EMAIL':
      return `${settings.to.join(', ')} by ${settings.host}`;
    case 'JIRA':
      return `${settings.project} at ${settings.url}`;
    case 'GITHUB':
      return settings.repository;
    default:
      return settings.url;
  }
}

function minutesText(minutes: number): string {
  const [count, unit] =
    minutes > 0 && minutes % 1_440 === 0
      ? [minutes / 1_440, 'day']
      : minutes > 0 && minutes % 60 === 0
        ? [minutes / 60, 'hour']
        : [minutes, 'minute'];
  return `${count.toLocaleString('en')} ${unit}${count === 1 ? '' : 's'}`;
}
