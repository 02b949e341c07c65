import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { ExportMenu } from './ExportMenu';

test('the form that is chosen is asked for, and the link followed; where there is none, nothing is', async () => {
  const onExport = vi.fn(async (format: string) => (format === 'CSV' ? { url: '/api/export/x.csv' } : null));
  const go = vi.fn();
  render(<ExportMenu onExport={onExport} go={go} />);
  for (const label of ['As NDJSON', 'As CSV']) {
    fireEvent.click(screen.getByRole('button', { name: 'Export' }));
    // By text: jsdom takes the open popover for hidden.
    fireEvent.click(screen.getByText(label));
  }
  await waitFor(() => expect(go).toHaveBeenCalled());
  expect(onExport.mock.calls).toEqual([['NDJSON'], ['CSV']]);
  expect(go.mock.calls).toEqual([['/api/export/x.csv']]);
  expect(screen.queryByText('As STIX 2.1')).toBeNull();
});

test('indicators can be had as STIX too', async () => {
  const onExport = vi.fn(async () => null);
  render(<ExportMenu hasStix onExport={onExport} />);
  fireEvent.click(screen.getByRole('button', { name: 'Export' }));
  fireEvent.click(screen.getByText('As STIX 2.1'));
  await waitFor(() => expect(onExport.mock.calls).toEqual([['STIX']]));
});
