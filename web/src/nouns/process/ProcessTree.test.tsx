import { fireEvent, render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { Tree } from './ProcessTree';

const process = (key: string, parent: string | null, depth: number, focus = false) => ({
  key,
  parent,
  depth,
  focus,
  image: `C:\\${key}.exe`,
  command: '',
  user: '',
  pid: null,
  startedAt: null,
});

test('the tree is walked, closed and opened with the arrow keys', () => {
  render(
    <Tree
      processes={[process('a', null, 0), process('b', 'a', 1, true), process('c', 'b', 2), process('d', 'a', 1)]}
    />,
  );
  const names = () => screen.getAllByRole('treeitem').map((item) => item.getAttribute('data-key'));
  const press = (key: string) => fireEvent.keyDown(screen.getByRole('tree'), { key });
  const at = () => screen.getByRole('treeitem', { selected: true }).getAttribute('data-key');
  expect(at()).toBe('b');
  press('ArrowLeft');
  expect(names()).toEqual(['a', 'b', 'd']);
  press('ArrowRight');
  expect(names()).toEqual(['a', 'b', 'c', 'd']);
  press('ArrowRight');
  expect(at()).toBe('c');
  press('ArrowLeft');
  expect(at()).toBe('b');
  press('End');
  expect(at()).toBe('d');
  press('ArrowLeft');
  expect(at()).toBe('a');
  press('ArrowLeft');
  expect(names()).toEqual(['a']);
});
