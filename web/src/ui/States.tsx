// What a view shows when there is nothing to show: not yet, nothing there, or
// something went wrong.
import clsx from 'clsx';
import { type LucideIcon, RotateCw, SearchX, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { describe } from '../api/errors';
import { Banner } from './Banner';
import { Button } from './Button';
import { CopyButton } from './CopyButton';
import { legible } from './legible';

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={clsx('animate-pulse rounded bg-raised', className)} />;
}

/** Rows that are still loading. */
export function SkeletonRows({ rows = 12 }: { rows?: number }) {
  return (
    <div role="status" aria-label="Loading" className="grow overflow-hidden">
      {Array.from({ length: rows }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <div key={i} className="flex h-8 items-center gap-4 border-b border-line px-3">
          <Skeleton className="h-3.5 w-16" />
          <Skeleton className="h-3.5 w-20" />
          <Skeleton className={clsx('h-3.5 grow', ['max-w-96', 'max-w-72', 'max-w-80'][i % 3])} />
          <Skeleton className="ml-auto h-3.5 w-24" />
        </div>
      ))}
    </div>
  );
}

interface EmptyStateProps {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
}

export function EmptyState({ icon: Icon, title, children }: EmptyStateProps) {
  return (
    <div className="flex grow flex-col items-center justify-center overflow-y-auto p-8 text-center">
      <div className="mb-3 rounded-full bg-raised p-3 text-muted">
        <Icon size={22} aria-hidden />
      </div>
      <h2 className="text-base font-semibold">{title}</h2>
      {children && <div className="mt-1 max-w-xl space-y-3 text-sm text-muted">{children}</div>}
    </div>
  );
}

interface NoMatchProps {
  icon?: LucideIcon;
  /** For example "No asset matches". */
  title: string;
  /** What leads back to everything: "Show all assets". */
  all: string;
  onAll(): void;
}

/** Nothing fits the conditions. */
export function NoMatch({ icon = SearchX, title, all, onAll }: NoMatchProps) {
  return (
    <EmptyState icon={icon} title={title}>
      <p>
        <button type="button" className="text-accent underline underline-offset-2" onClick={onAll}>
          {all}
        </button>
      </p>
    </EmptyState>
  );
}

interface StaleBannerProps {
  error: unknown;
  /** What is no longer up to date: "The list". */
  what: string;
  onRetry(): void;
}

/** Something went wrong while there is something to show: it stays, and says that it may be out of date. */
export function StaleBanner({ error, what, onRetry }: StaleBannerProps) {
  const failure = describe(error);
  return (
    <Banner tone="error" className="border-b border-line">
      {what} may be out of date or incomplete: {legible(failure.message)}
      {failure.requestId && (
        <>
          {' '}
          Request <code className="font-mono">{failure.requestId}</code>.
        </>
      )}{' '}
      <button type="button" className="font-semibold underline underline-offset-2" onClick={onRetry}>
        Try again
      </button>
    </Banner>
  );
}

interface ErrorStateProps {
  /** What could not be done, for example "The alerts cannot be loaded". */
  title: string;
  error: unknown;
  onRetry(): void;
}

export function ErrorState({ title, error, onRetry }: ErrorStateProps) {
  const failure = describe(error);
  return (
    <div role="alert" className="flex grow flex-col items-center justify-center p-8 text-center">
      <div className="mb-3 rounded-full bg-critical-soft p-3 text-critical">
        <TriangleAlert size={22} aria-hidden />
      </div>
      <h2 className="text-base font-semibold">{title}</h2>
      <p className="mt-1 max-w-xl text-sm text-muted">{legible(failure.message)}</p>
      {failure.requestId && (
        <p className="mt-1 flex items-center gap-1 text-xs text-faint">
          Request <code className="font-mono">{failure.requestId}</code>
          <CopyButton text={failure.requestId} label="Copy the request id" />
        </p>
      )}
      <Button icon={RotateCw} className="mt-4" onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}
