import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { watchSleep } from './wake';

function hide(hidden: boolean): void {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
}

describe('watchSleep', () => {
  const awake = vi.fn();
  let stop = () => {};
  beforeEach(() => {
    vi.useFakeTimers();
    awake.mockClear();
    stop = watchSleep(awake);
  });
  afterEach(() => {
    stop();
    vi.useRealTimers();
  });

  test('a clock that runs on evenly is no sleep', () => {
    vi.advanceTimersByTime(60_000);
    expect(awake).not.toHaveBeenCalled();
  });

  test('a clock that has jumped is one, once', () => {
    vi.advanceTimersByTime(3_000);
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(5_000);
    expect(awake).toHaveBeenCalledTimes(1);
  });

  test('timers of a hidden tab that are held back are none; looking at it again is', () => {
    hide(true);
    vi.setSystemTime(Date.now() + 60_000);
    vi.advanceTimersByTime(1_000);
    expect(awake).not.toHaveBeenCalled();
    hide(false);
    document.dispatchEvent(new Event('visibilitychange'));
    expect(awake).toHaveBeenCalledTimes(1);
  });

  test('the end of a freeze is one, even in a hidden tab', () => {
    hide(true);
    document.dispatchEvent(new Event('resume'));
    expect(awake).toHaveBeenCalledTimes(1);
  });

  test('nothing after it was stopped', () => {
    stop();
    document.dispatchEvent(new Event('resume'));
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(5_000);
    expect(awake).not.toHaveBeenCalled();
  });
});
