import { fireEvent, render, screen } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { axisEnd, Histogram } from './Histogram';

const starts = [0, 1, 2, 3].map((i) => i * 60_000);

test('a stretch is chosen by keys', () => {
  const onChoose = vi.fn();
  render(
    <Histogram
      label="Events"
      starts={starts}
      interval={60_000}
      series={[{ id: 'a', label: 'All', fill: 'fill-low', counts: [1, 0, 5, 2] }]}
      onChoose={onChoose}
    />,
  );
  const chart = screen.getByRole('slider');
  fireEvent.keyDown(chart, { key: 'ArrowRight' });
  fireEvent.keyDown(chart, { key: 'ArrowRight' });
  fireEvent.keyDown(chart, { key: 'ArrowRight', shiftKey: true });
  expect(chart.getAttribute('aria-valuetext')).toMatch(/: 5$/);
  fireEvent.keyDown(chart, { key: 'Enter' });
  expect(onChoose).toHaveBeenCalledWith(60_000, 180_000);
});

test('the table says the same, without empty buckets', () => {
  render(
    <Histogram
      label="Events"
      starts={starts}
      interval={60_000}
      series={[{ id: 'a', label: 'All', fill: 'fill-low', counts: [1, 0, 5, 2] }]}
    />,
  );
  expect(screen.getAllByRole('row', { hidden: true })).toHaveLength(4);
});

test.each([
  [0, 2],
  [1, 2],
  [3, 4],
  [5, 6],
  [9, 10],
  [11, 20],
  [140, 200],
  [9_500, 10_000],
])('an axis for up to %d ends at %d', (most, end) => expect(axisEnd(most)).toBe(end));

test('what is few is not drawn as much', () => {
  render(
    <Histogram
      label="Events"
      starts={starts}
      interval={60_000}
      atLeast={10}
      series={[{ id: 'a', label: 'All', fill: 'fill-low', counts: [1, 1, 1, 1] }]}
    />,
  );
  expect(screen.getByRole('figure').textContent).toContain('10');
  expect(screen.getByRole('figure').querySelector('svg rect')?.getAttribute('y')).toBe('9');
});
