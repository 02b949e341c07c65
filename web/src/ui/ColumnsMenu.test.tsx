import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, test, vi } from 'vitest';
import { ColumnsMenu, withColumn } from './ColumnsMenu';

const columns = [
  { id: 'time', title: 'Time' },
  { id: 'process', title: 'Process', extra: true },
  { id: 'host', title: 'Host' },
];

describe('withColumn', () => {
  test.each([
    ['a further one stands in its place', undefined, 'process', 'time,process,host'],
    ['one less', undefined, 'host', 'time'],
    ['back to the usual ones', 'time,process,host', 'process', undefined],
    ['the usual ones, whatever was said before', 'time', 'host', undefined],
    ['without any, the usual ones', 'process', 'process', undefined],
    ['as many as the usual ones, but others', 'process', 'time', 'time,process'],
    ['one that is not known is forgotten', 'time,nonsense', 'process', 'time,process'],
  ])('%s', (_, cols, id, want) => expect(withColumn(columns, cols, id)).toBe(want));
});

test('the menu shows what is chosen, and stays open for more', async () => {
  const onChange = vi.fn();
  render(<ColumnsMenu columns={columns} cols="process,host" onChange={onChange} />);
  await userEvent.click(screen.getByRole('button', { name: 'Columns' }));
  const items = screen.getAllByRole('menuitemcheckbox', { hidden: true });
  expect(items.map((item) => [item.textContent, item.getAttribute('aria-checked')])).toEqual([
    ['Time', 'false'],
    ['Process', 'true'],
    ['Host', 'true'],
  ]);
  await userEvent.click(items[0] as HTMLElement);
  expect(onChange).toHaveBeenCalledWith('time,process,host');
  expect(screen.getAllByRole('menuitemcheckbox', { hidden: true })).toHaveLength(3);
});
