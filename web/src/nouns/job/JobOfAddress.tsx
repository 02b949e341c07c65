// A job that is known by its id alone, as it stands in an address: whoever comes
// back finds it again, and can still cancel or undo it.
import { useQuery } from '@apollo/client/react';
import { X } from 'lucide-react';
import { IconButton } from '../../ui/Button';
import { StaleBanner } from '../../ui/States';
import { type JobLineFragment, JobNowDocument } from './Job.generated';
import { JobProgress } from './JobProgress';

interface JobOfAddressProps {
  id: string;
  onUndo(job: JobLineFragment): void;
  onDismiss(): void;
}

export function JobOfAddress({ id, onUndo, onDismiss }: JobOfAddressProps) {
  const { data, error, refetch } = useQuery(JobNowDocument, { variables: { id } });
  if (data?.job) return <JobProgress job={data.job} onUndo={onUndo} onDismiss={onDismiss} />;
  if (error) return <StaleBanner error={error} what="The job" onRetry={() => void refetch().catch(() => undefined)} />;
  if (!data) return null;
  return (
    <div role="status" className="flex items-center gap-3 border-b border-line bg-accent-soft px-3 py-1.5 text-xs">
      There is no such job any more.
      <IconButton icon={X} label="Dismiss" className="ml-auto size-6" onClick={onDismiss} />
    </div>
  );
}
