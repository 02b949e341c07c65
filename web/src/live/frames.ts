// Calls `work` once per animation frame at most, and by a timer in a hidden tab,
// where no frames come.
const hiddenPeriod = 1_000;

export function createFrames(work: () => void): { request(): void; stop(): void } {
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = () => {
    cancel();
    work();
  };
  const cancel = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = 0;
    timer = undefined;
  };
  const request = () => {
    if (frame || timer !== undefined) return;
    if (document.hidden) timer = setTimeout(run, hiddenPeriod);
    else frame = requestAnimationFrame(run);
  };
  const onVisibility = () => {
    if (!frame && timer === undefined) return;
    cancel();
    request();
  };
  document.addEventListener('visibilitychange', onVisibility);
  return {
    request,
    stop: () => {
      cancel();
      document.removeEventListener('visibilitychange', onVisibility);
    },
  };
}
