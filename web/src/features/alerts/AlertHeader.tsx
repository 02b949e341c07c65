import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { X } from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { dispositionLook } from '../../nouns/alert/alert';
import { StatusBadge } from '../../nouns/alert/StatusBadge';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { Time } from '../../nouns/time/Time';
import { IconButton } from '../../ui/Button';
import { legible } from '../../ui/legible';
import { type AlertHeaderFragment, AlertHeaderFragmentDoc } from './AlertHeader.generated';

/** The reason that a merge gives names the other by its id; AlertDuplicate names it by its title. */
const mergedInto = /^merged into \S+$/;

interface AlertHeaderProps {
  alert: FragmentType<AlertHeaderFragment>;
  /** Whenever it is another number above 0, the heading takes the focus. */
  focus: number;
  onClose(): void;
  children?: ReactNode;
}

export function AlertHeader({ alert, focus, onClose, children }: AlertHeaderProps) {
  const { data, complete } = useFragment({ fragment: AlertHeaderFragmentDoc, from: alert });
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (complete && focus > 0) heading.current?.focus();
  }, [complete, focus]);
  if (!complete) return null;
  return (
    <header className="space-y-2 px-4 pt-3 pb-2">
      <div className="flex items-center gap-3">
        <SeverityBadge severity={data.severity} />
        <StatusBadge status={data.status} disposition={data.disposition} />
        <IconButton icon={X} label="Close the panel (Escape)" className="ml-auto" onClick={onClose} />
      </div>
      {children}
      <h2 ref={heading} tabIndex={-1} className="text-lg leading-6 font-semibold text-balance">
        {legible(data.title)}
      </h2>
      <p className="flex flex-wrap gap-x-4 gap-y-0.5 text-xs text-muted">
        <span>
          {data.count.toLocaleString('en')} {data.count === 1 ? 'match' : 'matches'}
        </span>
        <span>
          First <Time at={data.firstSeen} />
        </span>
        <span>
          Last <Time at={data.lastSeen} />
        </span>
        <span>{data.assignee ? `Assigned to ${legible(data.assignee.displayName)}` : 'Assigned to nobody'}</span>
      </p>
      {data.status === 'CLOSED' && data.disposition && (
        <p className="rounded-lg bg-good-soft px-3 py-2 text-xs">
          <span className="font-semibold text-good">{dispositionLook[data.disposition].label}</span>
          {data.closedAt && (
            <span className="text-muted">
              {' '}
              · closed <Time at={data.closedAt} />
            </span>
          )}
          {!mergedInto.test(data.reason ?? '') && (
            <span className="mt-0.5 block whitespace-pre-line text-ink">{legible(data.reason ?? '')}</span>
          )}
        </p>
      )}
    </header>
  );
}
