import { fireEvent, render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { Matched } from './Matched';

const draw = (value: string, pattern: string) =>
  render(<Matched fields={[{ field: 'CommandLine', value, pattern, selection: 'selection' }]} />);

test('a long value is cut around what matched, until all of it is wanted', () => {
  const value = `${'a'.repeat(5_000)} -enc ${'b'.repeat(5_000)}`;
  const { container } = draw(value, '* -enc *');
  const shown = () => container.querySelector('code')?.textContent ?? '';
  expect(shown()).toHaveLength(602);
  expect(container.querySelector('mark')?.textContent).toBe(' -enc ');
  fireEvent.click(screen.getByRole('button', { name: 'Show all 10,006 characters' }));
  expect(shown()).toBe(value);
  fireEvent.click(screen.getByRole('button', { name: 'Show less' }));
  expect(shown()).toHaveLength(602);
});

test('a match at the end of a long value, and one that is all of it', () => {
  const { container, unmount } = draw(`${'a'.repeat(5_000)}evil`, '*evil');
  expect(container.querySelector('code')?.textContent).toBe(`…${'a'.repeat(596)}evil`);
  unmount();
  const whole = draw('9'.repeat(5_000), '> 5').container;
  expect(whole.querySelector('code')?.textContent).toBe(`${'9'.repeat(600)}…`);
});

test('a short value stands whole', () => {
  const { container } = draw('powershell -enc AAAA', '* -enc *');
  expect(container.querySelector('code')?.textContent).toBe('powershell -enc AAAA');
  expect(screen.queryByRole('button')).toBeNull();
});

test('what cannot be seen is written out, in the value and in what is looked for', () => {
  draw('rtl-\u202egnp.exe', '*\u202egnp*');
  expect(document.body.textContent).toContain('⟨U+202E⟩gnp.exe');
  expect(document.body.textContent).not.toContain('\u202e');
});
