import { expect, test } from 'vitest';
import { router } from '../../app/router';
import { titleOf } from './pages';

const shown = Object.keys(router.routesByPath).filter((path) => path !== '/' && path !== '/login');

test.each(shown)('the page at %s has a name', (path) => {
  expect(titleOf(path.replace('$id', 'abc'))).toBeTruthy();
});
