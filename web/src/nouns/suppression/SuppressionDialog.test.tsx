import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { beforeAll, expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import { SuppressAlertDialog, SuppressionDialog } from './SuppressionDialog';

vi.setConfig({ testTimeout: 30_000 });

// jsdom knows no modal dialogs.
beforeAll(() => {
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.setAttribute('open', '');
  };
  HTMLDialogElement.prototype.close = function close() {
    this.removeAttribute('open');
  };
});

const suppression = {
  __typename: 'Suppression' as const,
  id: 's1',
  version: 4,
  name: 'Builds',
  reason: 'known',
  state: 'EXPIRED' as const,
  enabled: true,
  anyRule: true,
  rules: [],
  alertFilter: { host: { eq: 'a' } },
  eventFilter: { query: 'command:make' },
  until: '2026-05-04T09:30:00Z',
  hits: 3,
  lastHit: null,
  createdBy: { __typename: 'Actor' as const, kind: 'SYSTEM' as const, name: 'system', user: null },
  createdAt: '2026-05-04T09:30:00Z',
};

/** A server that remembers what it was asked. */
class Server extends ApolloLink {
  asked: { name: string; input: Record<string, unknown> }[] = [];

  override request({ operationName, variables }: ApolloLink.Operation) {
    const name = operationName ?? '';
    this.asked.push({ name, input: variables.input ?? variables });
    return new Observable<ApolloLink.Result>((observer) => {
      observer.next({ data: this.answer(name) });
      observer.complete();
    });
  }

  inputsOf(name: string) {
    return this.asked.filter((each) => each.name === name).map((each) => each.input);
  }

  private answer(name: string): Record<string, unknown> {
    switch (name) {
      case 'SuppressionAlert':
        return {
          alert: {
            __typename: 'Alert',
            id: 'a1',
            title: 'Encoded PowerShell',
            host: 'ws-7',
            user: 'ana',
            process: '',
            source: { __typename: 'Endpoint', ip: null },
            rule: { __typename: 'Rule', id: 'r1', title: 'Encoded PowerShell' },
            latestEvent: { __typename: 'EvidenceConnection', nodes: [] },
          },
        };
      case 'SuppressionPreview':
        return {
          suppressionPreview: {
            __typename: 'SuppressionPreview',
            since: '2026-05-04T09:30:00Z',
            examined: 9,
            complete: false,
            findings: 7,
            alerts: 2,
            smaller: 1,
            rules: [],
            examples: [],
          },
        };
      case 'QueryLine':
        return { queryLine: { __typename: 'QueryLine', filter: null, error: null, fields: [] } };
      case 'SuppressionCreate':
        return { suppressionCreate: { __typename: 'SuppressionPayload', suppression, errors: [] } };
      case 'SuppressionUpdate':
        return { suppressionUpdate: { __typename: 'SuppressionPayload', suppression, errors: [] } };
      default:
        throw new Error(`nobody asks for ${name}`);
    }
  }
}

function shown(dialog: JSX.Element): Server {
  const server = new Server();
  const client = new ApolloClient({ cache: createCache(), link: server });
  render(<ApolloProvider client={client}>{dialog}</ApolloProvider>);
  return server;
}

test('an alert is suppressed by what is chosen of it, not without a reason', async () => {
  const done = vi.fn();
  const server = shown(<SuppressAlertDialog id="a1" onDone={done} onCancel={() => undefined} />);
  const submit = await screen.findByRole('button', { name: 'Suppress' });
  expect(await screen.findByText(/at least 2 alerts/)).toBeTruthy();
  expect(screen.getByText(/a part of 1 further one, 7 findings in all/)).toBeTruthy();
  expect((submit as HTMLButtonElement).disabled).toBe(true);
  fireEvent.click(screen.getByRole('checkbox', { name: /User/ }));
  await waitFor(() =>
    expect(server.inputsOf('SuppressionPreview').at(-1)).toMatchObject({
      rules: ['r1'],
      alertFilter: { query: 'host:ws-7' },
    }),
  );
  fireEvent.change(screen.getByLabelText('Why?'), { target: { value: ' known ' } });
  fireEvent.click(screen.getByRole('button', { name: 'No end' }));
  fireEvent.click(submit);
  await waitFor(() => expect(done).toHaveBeenCalled());
  expect(server.inputsOf('SuppressionCreate')).toEqual([
    {
      name: 'Encoded PowerShell on ws-7',
      reason: 'known',
      rules: ['r1'],
      alertFilter: { query: 'host:ws-7' },
      eventFilter: null,
      until: null,
    },
  ]);
});

test('editing keeps a filter that is no line, and an end that is over, as they are', async () => {
  const done = vi.fn();
  const server = shown(<SuppressionDialog edited={suppression} onDone={done} onCancel={() => undefined} />);
  fireEvent.change(screen.getByLabelText('Name'), { target: { value: 'All builds' } });
  fireEvent.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(done).toHaveBeenCalled());
  const [input] = server.inputsOf('SuppressionUpdate');
  expect(input).toEqual({
    id: 's1',
    expectedVersion: 4,
    name: 'All builds',
    reason: 'known',
    rules: [],
    alertFilter: { host: { eq: 'a' } },
    eventFilter: { query: 'command:make' },
  });
});

test('what would hide everything cannot be sent', () => {
  shown(<SuppressionDialog onDone={() => undefined} onCancel={() => undefined} />);
  fireEvent.change(screen.getByLabelText('Name'), { target: { value: 'n' } });
  fireEvent.change(screen.getByLabelText('Why?'), { target: { value: 'w' } });
  expect(screen.getByText('Everything. Name a rule or a condition.')).toBeTruthy();
  expect((screen.getByRole('button', { name: 'Suppress' }) as HTMLButtonElement).disabled).toBe(true);
});
