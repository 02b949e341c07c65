// Keeps work that is asked for often at a pace that a person can follow.

export interface Pace {
  /** Does the work at once, or, when it was done less than a period ago, at the period's end. */
  request(): void;
  stop(): void;
}

/** Calls `work` at most once in `period` milliseconds, and never later than that after it was asked for. */
export function createPace(work: () => void, period: number): Pace {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;
  const run = () => {
    again = false;
    work();
    timer = setTimeout(() => {
      timer = undefined;
      if (again) run();
    }, period);
  };
  return {
    request: () => {
      if (timer === undefined) run();
      else again = true;
    },
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
      again = false;
    },
  };
}
