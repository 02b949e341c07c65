import { Link } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { EmptyState, ErrorState, SkeletonRows } from '../ui/States';

export function NotFound() {
  return (
    <main className="flex min-h-full">
      <EmptyState icon={Compass} title="There is no such page">
        <p>
          <Link to="/alerts" className="text-accent underline underline-offset-2">
            Go to the alerts
          </Link>
        </p>
      </EmptyState>
    </main>
  );
}

export function PageError({ error }: { error: unknown }) {
  return (
    <div className="flex grow">
      <ErrorState title="The page broke" error={error} onRetry={() => location.reload()} />
    </div>
  );
}

export function PagePending() {
  return <SkeletonRows />;
}
