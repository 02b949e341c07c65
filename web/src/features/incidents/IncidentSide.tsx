// Beside the story: tasks, who and what is concerned, techniques.

import { useNavigate } from '@tanstack/react-router';
import { Trash2 } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { Techniques } from '../../nouns/rule/Techniques';
import { Time } from '../../nouns/time/Time';
import { BarList } from '../../ui/BarList';
import { Button, IconButton } from '../../ui/Button';
import { legible } from '../../ui/legible';
import { Section } from '../../ui/Section';
import { useChange } from '../../ui/useChange';
import { IncidentTaskAddDocument, IncidentTaskDeleteDocument, IncidentTaskUpdateDocument } from './Changes.generated';
import type { IncidentDetail } from './IncidentPage';

interface IncidentSideProps {
  incident: IncidentDetail;
  mayWork: boolean;
  onChanged(): void;
}

export function IncidentSide({ incident, mayWork, onChanged }: IncidentSideProps) {
  const navigate = useNavigate();
  const { entities } = incident;
  const groups = [
    ['Hosts', 'host', entities.hosts],
    ['Users', 'user', entities.users],
    ['Addresses', 'address', entities.addresses],
    ['File hashes', 'hash', entities.hashes],
  ] as const;
  return (
    <aside
      aria-label="Tasks and entities"
      className="w-full shrink-0 space-y-6 border-l border-line bg-surface p-4 lg:w-80 lg:overflow-y-auto print:hidden"
    >
      <h2 className="sr-only">Tasks and entities</h2>
      <Tasks incident={incident} mayWork={mayWork} onChanged={onChanged} />
      {groups.map(
        ([title, kind, values]) =>
          values.length > 0 && (
            <Section key={kind} title={title}>
              <BarList
                rows={values.map(({ value, count }) => ({ key: value, label: value, count }))}
                does="Look at"
                onChoose={(value) => void navigate({ to: '/entity', search: { kind, value } })}
              />
            </Section>
          ),
      )}
      {incident.techniques.length > 0 && (
        <Section title="Techniques">
          <Techniques ids={incident.techniques.map((t) => t.value)} />
        </Section>
      )}
      {incident.grouping && <p className="text-xs text-muted">Opened by the grouping {incident.grouping.name}.</p>}
      {entities.isEstimate && <p className="text-xs text-muted">Counted over the latest alerts.</p>}
    </aside>
  );
}

function Tasks({ incident, mayWork, onChanged }: IncidentSideProps) {
  const change = useChange();
  const [title, setTitle] = useState('');
  const add = async (event: FormEvent) => {
    event.preventDefault();
    if (!title.trim()) return;
    if (await change(IncidentTaskAddDocument, { input: { incident: incident.id, title: title.trim() } })) {
      setTitle('');
      onChanged();
    }
  };
  return (
    <Section title={`Tasks ${incident.taskCount > 0 ? `${incident.tasksDone} of ${incident.taskCount}` : ''}`}>
      <ul className="space-y-1">
        {incident.tasks.map((task) => (
          <li key={task.id} className="flex items-start gap-2">
            <label className="flex min-w-0 grow items-start gap-2">
              <input
                type="checkbox"
                checked={task.done}
                disabled={!mayWork}
                onChange={async (event) => {
                  const done = event.target.checked;
                  if (
                    await change(IncidentTaskUpdateDocument, {
                      input: { id: task.id, expectedVersion: task.version, done },
                    })
                  )
                    onChanged();
                }}
                className="mt-1 accent-accent"
              />
              <span className={task.done ? 'text-muted line-through' : undefined}>
                {legible(task.title)}
                {task.dueAt && !task.done && (
                  <span className="ml-1 text-xs text-muted">
                    due <Time at={task.dueAt} as="clock" />
                  </span>
                )}
              </span>
            </label>
            {mayWork && (
              <IconButton
                icon={Trash2}
                label={`Remove the task ${legible(task.title)}`}
                className="size-6"
                onClick={async () => {
                  if (await change(IncidentTaskDeleteDocument, { input: { id: task.id } })) onChanged();
                }}
              />
            )}
          </li>
        ))}
      </ul>
      {incident.tasks.length === 0 && <p className="text-sm text-muted">No tasks.</p>}
      {mayWork && incident.status !== 'CLOSED' && (
        <form onSubmit={add} className="mt-2 flex gap-2">
          <input
            aria-label="New task"
            placeholder="New task"
            value={title}
            maxLength={200}
            onChange={(event) => setTitle(event.target.value)}
            className="h-7 min-w-0 grow rounded-md border border-line bg-surface px-2 text-sm"
          />
          <Button type="submit" disabled={!title.trim()}>
            Add
          </Button>
        </form>
      )}
    </Section>
  );
}
