import { render, screen } from '@testing-library/react';
import { describe, expect, test } from 'vitest';
import { SeverityBadge } from './SeverityBadge';
import { severities, severityLook } from './severity';

describe('SeverityBadge', () => {
  test.each(severities)('%s is told by word and shape, not by colour alone', (severity) => {
    const { container } = render(<SeverityBadge severity={severity} />);
    expect(screen.getByText(severityLook[severity].label)).toBeTruthy();
    expect(container.querySelector('svg')).not.toBeNull();
  });

  test('each level has a shape of its own', () => {
    expect(new Set(severities.map((s) => severityLook[s].icon)).size).toBe(severities.length);
  });
});
