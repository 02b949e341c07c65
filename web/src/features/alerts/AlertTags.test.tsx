import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import { AlertTags } from './AlertTags';
import { AlertTagsFragmentDoc } from './AlertTags.generated';
import type { AlertActions } from './useAlertActions';

const ref = { __typename: 'Alert' as const, id: 'a1' };

function show(actions?: AlertActions) {
  const link = new ApolloLink(
    () =>
      new Observable((observer) => {
        const nodes = [{ __typename: 'Alert', id: 'a9', tags: ['phishing', 'vip'] }];
        observer.next({ data: { alerts: { __typename: 'AlertConnection', nodes } } });
        observer.complete();
      }),
  );
  const client = new ApolloClient({ cache: createCache(), link });
  const data = { ...ref, version: 4, tags: ['vip'] };
  client.cache.writeFragment({ fragment: AlertTagsFragmentDoc, fragmentName: 'AlertTags', data });
  return render(
    <ApolloProvider client={client}>
      <AlertTags alert={ref as never} actions={actions} />
    </ApolloProvider>,
  );
}

test('a tag is added as it will be kept, one that it has is not, and what was refused can be mended', async () => {
  const tag = vi.fn<AlertActions['tag']>(async () => false);
  show({ tag } as unknown as AlertActions);
  const box = screen.getByLabelText('Add a tag') as HTMLInputElement;
  fireEvent.change(box, { target: { value: ' VIP ' } });
  fireEvent.submit(box);
  expect(tag).not.toHaveBeenCalled();
  fireEvent.change(box, { target: { value: 'Ransomware ' } });
  fireEvent.submit(box);
  expect(tag).toHaveBeenCalledWith(expect.objectContaining({ id: 'a1', version: 4 }), {
    tags: ['vip'],
    add: ['ransomware'],
  });
  await waitFor(() => expect(box.value).toBe('ransomware'));
});

test('tags in use are offered but for those that it has', async () => {
  const { container } = show({ tag: vi.fn() } as unknown as AlertActions);
  fireEvent.focus(screen.getByLabelText('Add a tag'));
  const offered = () => [...container.querySelectorAll('datalist option')].map((o) => o.getAttribute('value'));
  await waitFor(() => expect(offered()).toEqual(['phishing']));
});

test('taking one off keeps the focus beside it', () => {
  const tag = vi.fn<AlertActions['tag']>(async () => true);
  show({ tag } as unknown as AlertActions);
  fireEvent.click(screen.getByRole('button', { name: 'Take off the tag vip' }));
  expect(tag).toHaveBeenCalledWith(expect.anything(), { tags: ['vip'], remove: ['vip'] });
  expect(document.activeElement).toBe(screen.getByLabelText('Add a tag'));
});

test('who may not change them sees them alone', () => {
  show();
  expect(screen.getByText('vip')).toBeTruthy();
  expect(screen.queryByRole('button')).toBeNull();
  expect(screen.queryByRole('combobox')).toBeNull();
});
