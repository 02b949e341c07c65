// Notices that this tab has slept: a laptop's lid was closed, the browser froze a
// hidden tab, or the page comes back from the back/forward cache. Timers stood
// still meanwhile, so that no timeout has told whether the connection still holds.

const beat = 1_000;
/** A timer that is late by more than this has not merely waited for a busy tab. */
const slept = 5_000;

/** Calls `awake` after each sleep, and whenever the tab is looked at again. Gives how to stop. */
export function watchSleep(awake: () => void): () => void {
  let before = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    const late = now - before - beat;
    before = now;
    // Browsers hold timers of hidden tabs back for up to a minute; showing the tab tells.
    if (late > slept && !document.hidden) awake();
  }, beat);
  const onVisibility = () => {
    if (!document.hidden) awake();
  };
  document.addEventListener('visibilitychange', onVisibility);
  // Page Lifecycle: the end of a freeze, also in a tab that stays hidden.
  document.addEventListener('resume', awake);
  window.addEventListener('pageshow', onVisibility);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', onVisibility);
    document.removeEventListener('resume', awake);
    window.removeEventListener('pageshow', onVisibility);
  };
}
