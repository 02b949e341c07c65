import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { configure, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import { ChannelDialog } from './ChannelDialog';

vi.setConfig({ testTimeout: 30_000 });
configure({ asyncUtilTimeout: 10_000 }); // the preview waits for a pause in typing

interface UserError {
  code: string;
  message: string;
  path: string[];
}

/** A server that remembers what it was asked, and refuses what it is told to. */
class Server extends ApolloLink {
  asked: { name: string; input: Record<string, unknown> }[] = [];
  wrongTemplate = false;
  refusal: UserError[] = [];

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
    const errorOf = (error: UserError) => ({ __typename: 'UserError', ...error });
    switch (name) {
      case 'ChannelPreview': {
        const wrong = { code: 'BAD_INPUT', message: 'no field .Nope', path: ['input', 'template.text'] };
        const shown = { subject: 'High: Encoded PowerShell', text: 'on ws-7', body: '{"text":"on ws-7"}', alerts: 0 };
        return {
          channelPreview: this.wrongTemplate
            ? {
                __typename: 'ChannelPreview',
                subject: null,
                text: null,
                body: null,
                alerts: 0,
                errors: [errorOf(wrong)],
              }
            : { __typename: 'ChannelPreview', ...shown, errors: [] },
        };
      }
      case 'QueryLine':
        return { queryLine: { __typename: 'QueryLine', error: null, fields: [] } };
      default:
        return {
          channelCreate: { __typename: 'ChannelPayload', channel: null, errors: this.refusal.map(errorOf) },
        };
    }
  }
}

function show(server: Server) {
  const done = vi.fn();
  const client = new ApolloClient({ cache: createCache(), link: server });
  render(
    <ApolloProvider client={client}>
      <ChannelDialog onDone={done} onCancel={vi.fn()} />
    </ApolloProvider>,
  );
  return done;
}

const type = (label: string, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } });

test('a kind shows its own fields, and keeps what was typed while one looks at another', () => {
  show(new Server());
  expect(screen.getByLabelText('Address of the incoming webhook')).toHaveProperty('type', 'password');
  fireEvent.click(screen.getByRole('radio', { name: /^Jira/ }));
  expect(screen.queryByLabelText('Address of the incoming webhook')).toBeNull();
  type('Site', 'https://acme.example');
  fireEvent.click(screen.getByRole('radio', { name: /^E-mail/ }));
  expect(screen.queryByLabelText('Password'), 'nobody signs in').toBeNull();
  type('User name', 'soc');
  expect(screen.getByLabelText('Password')).toHaveProperty('value', '');
  fireEvent.click(screen.getByRole('radio', { name: /^Jira/ }));
  expect(screen.getByLabelText('Site')).toHaveProperty('value', 'https://acme.example');
});

test('the preview follows what is typed, and a wrong template is said at its field', async () => {
  const server = new Server();
  show(server);
  const message = await screen.findByRole('article', { name: 'The message' });
  expect(message.textContent).toBe('High: Encoded PowerShellon ws-7');
  expect(screen.getByText('No alert matches: this is an example.')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'A storm, summed up' }));
  await waitFor(() => expect(server.inputsOf('ChannelPreview').at(-1)).toMatchObject({ grouped: true }));
  server.wrongTemplate = true;
  type('Text', '{{.Nope}}');
  await waitFor(() => expect(screen.getByLabelText('Text').getAttribute('aria-invalid')).toBe('true'));
  const id = screen.getByLabelText('Text').getAttribute('aria-describedby')?.split(' ')[0] ?? '';
  expect(document.getElementById(id)?.textContent).toBe('no field .Nope');
  expect(server.inputsOf('ChannelPreview').length, 'not for each letter').toBeLessThan(4);
});

test('what the server refuses stands at its field until that is changed', async () => {
  const server = new Server();
  const done = show(server);
  fireEvent.click(screen.getByRole('radio', { name: /^Any address/ }));
  type('Name', 'Chat');
  type('Address', 'https://10.0.0.1/');
  server.refusal = [{ code: 'BAD_INPUT', message: 'that is not public', path: ['input', 'settings.url'] }];
  fireEvent.click(screen.getByRole('button', { name: 'Create channel' }));
  await waitFor(() => expect(screen.getByText('that is not public')).toBeTruthy());
  expect(screen.queryByRole('alert')).toBeNull();
  expect(done).not.toHaveBeenCalled();

  type('Address', 'https://example.com/');
  expect(screen.queryByText('that is not public')).toBeNull();
  server.refusal = [{ code: 'RATE_LIMITED', message: 'at most 200 channels', path: [] }];
  fireEvent.click(screen.getByRole('button', { name: 'Create channel' }));
  const alert = await screen.findByRole('alert');
  expect(within(alert).getByText('At most 200 channels.')).toBeTruthy();

  server.refusal = [];
  fireEvent.click(screen.getByRole('button', { name: 'Create channel' }));
  await waitFor(() => expect(done).toHaveBeenCalled());
  expect(server.inputsOf('ChannelCreate').at(-1)).toMatchObject({
    kind: 'GENERIC',
    settings: { url: 'https://example.com/', header: '' },
    secret: '',
    quiet: null,
  });
});

test('quiet hours begin with the night of the browser, and are taken off again', async () => {
  const server = new Server();
  show(server);
  const box = screen.getByRole('checkbox', { name: /^Quiet hours/ });
  fireEvent.click(box);
  expect(screen.getByLabelText('Time zone')).toHaveProperty('value', Intl.DateTimeFormat().resolvedOptions().timeZone);
  expect(screen.getByText('On the next day')).toBeTruthy();
  type('Until', '23:30');
  expect(screen.queryByText('On the next day')).toBeNull();
  fireEvent.click(box);
  expect(screen.queryByLabelText('Time zone')).toBeNull();
});
