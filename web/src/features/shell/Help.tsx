import { Dialog } from '../../ui/Dialog';
import { Kbd } from '../../ui/Kbd';
import { pages } from './pages';

const groups: readonly [string, readonly (readonly [keys: string, does: string])[]][] = [
  [
    'Lists',
    [
      ['j', 'Next row'],
      ['k', 'Row before'],
      ['Enter', 'Open'],
      ['o', 'Open'],
      ['Escape', 'Close'],
      ['/', 'Search'],
      ['x', 'Select'],
      ['X', 'Select all shown, or none'],
    ],
  ],
  [
    'Alerts',
    [
      ['a', 'Acknowledge, and assign to me'],
      ['c', 'Close with a reason'],
      ['w', 'Start work on it'],
      ['s', 'Suppress what is like it'],
      ['e', 'Escalate to an incident'],
      ['n', 'Show the new ones'],
    ],
  ],
  [
    'Go to',
    [
      ...pages.map((page) => [`g ${page.key}`, page.label] as const),
      ['g p', 'Playground'],
      ['?', 'This help'],
      ['Ctrl K', 'Find a page or a thing'],
    ],
  ],
];

export function Help({ onClose }: { onClose(): void }) {
  return (
    <Dialog text title="Keyboard shortcuts" onClose={onClose}>
      <div className="grid gap-x-8 gap-y-5 sm:grid-cols-2">
        {groups.map(([title, keys]) => (
          <section key={title}>
            <h3 className="mb-1.5 text-xs font-semibold text-muted">{title}</h3>
            <dl className="space-y-1">
              {keys.map(([key, does]) => (
                <div key={key} className="flex items-center gap-2">
                  <dt className="flex w-16 gap-1">
                    <span className="sr-only">{key}</span>
                    {key.split(' ').map((part) => (
                      <Kbd key={part}>{part}</Kbd>
                    ))}
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
