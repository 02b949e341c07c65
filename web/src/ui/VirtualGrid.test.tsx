import { fireEvent, render, screen } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { VirtualGrid } from './VirtualGrid';

function draw() {
  const onActivate = vi.fn();
  const onOpen = vi.fn();
  render(
    <>
      <section aria-label="Beside" tabIndex={-1} />
      <VirtualGrid
        label="Things"
        columns={[{ id: 'name', title: 'Name' }]}
        template=""
        ids={['a', 'b', 'c']}
        total={3}
        activeId="a"
        onActivate={onActivate}
        onOpen={onOpen}
        renderRow={(id) => <div role="gridcell">{id}</div>}
      />
    </>,
  );
  return { onActivate, onOpen, grid: screen.getByRole('grid'), beside: screen.getByRole('region') };
}

test('arrows and Enter beside the grid are not its own; j and k are', () => {
  const { onActivate, onOpen, grid, beside } = draw();
  beside.focus();
  for (const key of ['ArrowDown', 'ArrowUp', 'Enter']) {
    expect(fireEvent.keyDown(beside, { key }), `${key} scrolls or presses as ever`).toBe(true);
  }
  expect([onActivate.mock.calls, onOpen.mock.calls]).toEqual([[], []]);
  fireEvent.keyDown(beside, { key: 'j' });
  expect(onActivate).toHaveBeenLastCalledWith('b');
  expect(document.activeElement, 'the focus is where the active row is').toBe(grid);
});

test.each(['the grid', 'nothing'])('arrows move and Enter opens while %s has the focus', (where) => {
  const { onActivate, onOpen, grid } = draw();
  const target = where === 'the grid' ? grid : document.body;
  expect(fireEvent.keyDown(target, { key: 'ArrowDown' }), 'the page does not scroll').toBe(false);
  expect(onActivate).toHaveBeenLastCalledWith('b');
  fireEvent.keyDown(target, { key: 'Enter' });
  expect(onOpen).toHaveBeenLastCalledWith('a', true);
});
