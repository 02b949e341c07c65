// A command to copy and paste.
import { CopyButton } from './CopyButton';
import { legible } from './legible';

export function Command({ text }: { text: string }) {
  return (
    <div className="flex items-start gap-1 rounded-lg border border-line bg-raised py-1.5 pr-1.5 pl-3 text-left">
      <pre tabIndex={0} className="grow overflow-x-auto py-0.5 font-mono text-xs leading-5 text-ink">
        {legible(text)}
      </pre>
      <CopyButton text={text} label="Copy the command" />
    </div>
  );
}
