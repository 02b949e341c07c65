import { fireEvent, render, screen } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { Histogram } from './Histogram';

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
