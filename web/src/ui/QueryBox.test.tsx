import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { expect, test, vi } from 'vitest';
import { QueryBox, type QueryLineState } from './QueryBox';

const fields = [
  { name: 'host', aliases: ['hostname'], kind: 'TEXT', values: [] },
  { name: 'status', aliases: [], kind: 'ENUM', values: ['NEW', 'CLOSED'] },
];

function Box({ told, problem = null }: { told(text: string): void; problem?: QueryLineState['problem'] }) {
  const [value, setValue] = useState('');
  return (
    <QueryBox
      label="Search"
      value={value}
      line={{ fields, problem }}
      onChange={(text) => {
        setValue(text);
        told(text);
      }}
    />
  );
}

test('fields, then values, are completed by keyboard; Enter tells the line', async () => {
  const user = userEvent.setup();
  const told = vi.fn();
  render(<Box told={told} />);
  const box = screen.getByRole('combobox', { name: 'Search' });
  await user.type(box, 'sta');
  expect(screen.getByRole('option', { name: /status/ })).toBeTruthy();
  await user.keyboard('{Tab}');
  expect((box as HTMLInputElement).value).toBe('status:');
  await user.keyboard('cl{ArrowDown}{Enter}');
  expect((box as HTMLInputElement).value).toBe('status:closed ');
  await user.keyboard('{Enter}');
  expect(told).toHaveBeenLastCalledWith('status:closed ');
});

test('a pause in typing tells the line once, not each letter', async () => {
  const user = userEvent.setup();
  const told = vi.fn();
  render(<Box told={told} />);
  await user.type(screen.getByRole('combobox'), 'web');
  expect(told).not.toHaveBeenCalled();
  await vi.waitFor(() => expect(told).toHaveBeenCalledWith('web'));
  expect(told).toHaveBeenCalledTimes(1);
});

test('what is wrong is said, with the place, and belongs to the field', async () => {
  const user = userEvent.setup();
  const problem = { message: 'there is no field ho', position: 1, length: 3, hint: 'Did you mean host?' };
  render(<Box told={vi.fn()} problem={problem} />);
  const box = screen.getByRole('combobox');
  await user.type(box, 'ho:x{Enter}');
  expect(box.getAttribute('aria-invalid')).toBe('true');
  const said = document.getElementById(box.getAttribute('aria-describedby') ?? '');
  expect(said?.textContent).toContain('there is no field ho at ho:');
  expect(said?.textContent).toContain('Did you mean host?');
});

test('Escape closes the choices, then empties the line', async () => {
  const user = userEvent.setup();
  render(<Box told={vi.fn()} />);
  const box = screen.getByRole('combobox') as HTMLInputElement;
  await user.type(box, 'ho');
  expect(box.getAttribute('aria-expanded')).toBe('true');
  await user.keyboard('{Escape}');
  expect(box.getAttribute('aria-expanded')).toBe('false');
  expect(box.value).toBe('ho');
  await user.keyboard('{Escape}');
  expect(box.value).toBe('');
});
