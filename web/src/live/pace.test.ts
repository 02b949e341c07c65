import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createPace } from './pace';

describe('createPace', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('works at once when it is quiet, and once a period when it is busy', () => {
    const work = vi.fn();
    const pace = createPace(work, 500);
    pace.request();
    expect(work).toHaveBeenCalledTimes(1);
    for (let ms = 0; ms < 1_000; ms += 10) {
      pace.request();
      vi.advanceTimersByTime(10);
    }
    expect(work, 'at 0, 500 and 1000 ms').toHaveBeenCalledTimes(3);
  });

  test('the last request is not forgotten, and nothing is done without one', () => {
    const work = vi.fn();
    const pace = createPace(work, 500);
    pace.request();
    pace.request();
    vi.advanceTimersByTime(499);
    expect(work).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    expect(work).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(10_000);
    expect(work).toHaveBeenCalledTimes(2);
  });

  test('after it was stopped what waited is not done', () => {
    const work = vi.fn();
    const pace = createPace(work, 500);
    pace.request();
    pace.request();
    pace.stop();
    vi.advanceTimersByTime(1_000);
    expect(work).toHaveBeenCalledTimes(1);
    pace.request();
    expect(work, 'it can be asked again').toHaveBeenCalledTimes(2);
  });
});
