import { render, screen } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';
import { IntegrationsPage } from './IntegrationsPage';

let mayAdminister = false;
vi.mock('@tanstack/react-router', () => ({
  getRouteApi: () => ({ useSearch: () => ({ section: 'consumers' }), useNavigate: () => () => undefined }),
}));
vi.mock('../../nouns/user/useViewer', () => ({ useViewer: () => ({ viewer: {}, mayWork: true, mayAdminister }) }));
vi.mock('./Consumers', () => ({ Consumers: () => <p>Consumers are asked for</p> }));

beforeEach(() => {
  mayAdminister = false;
});

test('who may not see the consumers is told so, and nothing is asked for', () => {
  render(<IntegrationsPage />);
  expect(screen.getByText('Feed consumers are for administrators')).toBeTruthy();
  expect(screen.queryByText('Consumers are asked for')).toBeNull();
});

test('administrators see them', () => {
  mayAdminister = true;
  render(<IntegrationsPage />);
  expect(screen.getByText('Consumers are asked for')).toBeTruthy();
});
