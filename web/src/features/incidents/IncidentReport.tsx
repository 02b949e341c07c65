// The report as it would be sent, to read, print or download.
import { useApolloClient, useQuery } from '@apollo/client/react';
import { Download, Printer } from 'lucide-react';
import { type CSSProperties, useEffect, useRef, useState } from 'react';
import type { ReportFormat } from '../../gql/schema';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { notify } from '../../ui/notices';
import { ErrorState, Skeleton } from '../../ui/States';
import { IncidentReportDocument } from './Incident.generated';

const formats: readonly [ReportFormat, string][] = [
  ['MARKDOWN', 'Markdown'],
  ['HTML', 'HTML'],
  ['JSON', 'JSON'],
];

export function IncidentReport({ id, round }: { id: string; round: number }) {
  const client = useApolloClient();
  const { data, error, refetch } = useQuery(IncidentReportDocument, { variables: { id, format: 'HTML' } });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change is read anew
  useEffect(() => {
    if (round > 0) void refetch().catch(() => undefined);
  }, [round]);
  const frame = useRef<HTMLIFrameElement>(null);
  const [height, setHeight] = useState(0);
  const print = () => frame.current?.contentWindow?.print();
  useEffect(() => {
    // The report alone breaks over pages as a document does; the page around it does not.
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'p' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey)
        return;
      if (!frame.current) return;
      event.preventDefault();
      frame.current.contentWindow?.print();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
  const report = data?.incidentReport;
  const download = async (format: ReportFormat) => {
    const { data } = await client.query({
      query: IncidentReportDocument,
      variables: { id, format },
      fetchPolicy: 'no-cache',
    });
    const file = data?.incidentReport;
    if (!file) return notify('error', 'The incident is gone.');
    const url = URL.createObjectURL(new Blob([file.content], { type: file.contentType }));
    const link = document.createElement('a');
    link.href = url;
    link.download = file.fileName;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  if (!report) {
    return error ? (
      <ErrorState
        title="The report cannot be made"
        error={error}
        onRetry={() => void refetch().catch(() => undefined)}
      />
    ) : (
      <Skeleton className="h-96" />
    );
  }
  return (
    <div className="flex h-full min-h-96 flex-col gap-3 max-lg:h-[75vh] print:block print:h-auto">
      <div className="flex flex-wrap gap-2 print:hidden">
        {formats.map(([format, label]) => (
          <Button
            key={format}
            icon={Download}
            onClick={() => void download(format).catch(() => notify('error', 'The report cannot be made now.'))}
          >
            {label}
          </Button>
        ))}
        <Button icon={Printer} onClick={print}>
          Print
        </Button>
      </div>
      {report.truncated && (
        <Banner tone="warn" className="print:hidden">
          The report is shortened: the incident has more than it can hold.
        </Banner>
      )}
      {/* Without scripts and without our origin: what stands in it came from outside. Same origin alone lets it be printed. */}
      <iframe
        ref={frame}
        id="report"
        onLoad={() => setHeight(frame.current?.contentDocument?.documentElement.scrollHeight ?? 0)}
        style={{ '--report-height': `${height}px` } as CSSProperties}
        title={report.title}
        sandbox="allow-same-origin allow-modals"
        srcDoc={report.content}
        className="min-h-96 grow rounded-lg border border-line bg-white print:h-(--report-height) print:w-full print:rounded-none print:border-0"
      />
    </div>
  );
}
