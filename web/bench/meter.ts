// What a browser tells of how a page feels: frames, interactions, heap.
import type { CDPSession, Page } from '@playwright/test';

export interface Frames {
  /** Frames a second. */
  perSecond: number;
  /** 99th percentile of the time between two frames, ms. */
  p99: number;
  /** The longest time between two frames, ms. */
  longest: number;
  /** The slowest interaction (Event Timing: input to the next paint), ms; 0 when there was none. */
  interaction: number;
}

interface Recording {
  frames: number[];
  interactions: number[];
  stop(): void;
}

declare global {
  interface Window {
    recording?: Recording;
  }
}

/** Records while `work` goes on, for at least `ms`. */
export async function measureFrames(
  page: Page,
  ms: number,
  work: () => Promise<void> = async () => {},
): Promise<Frames> {
  await page.evaluate(() => {
    const recording: Recording = { frames: [], interactions: [], stop: () => {} };
    let frame = 0;
    const tick = (at: number) => {
      recording.frames.push(at);
      frame = requestAnimationFrame(tick);
    };
    frame = requestAnimationFrame(tick);
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        // Only what belongs to an interaction: moving the pointer is none.
        if ((entry as PerformanceEventTiming & { interactionId?: number }).interactionId) {
          recording.interactions.push(entry.duration);
        }
      }
    });
    observer.observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit);
    recording.stop = () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
    };
    window.recording = recording;
  });
  const until = Date.now() + ms;
  await work();
  await page.waitForTimeout(Math.max(0, until - Date.now()));
  const { frames, interactions } = await page.evaluate(() => {
    const recording = window.recording as Recording;
    recording.stop();
    return { frames: recording.frames, interactions: recording.interactions };
  });
  const gaps = frames.slice(1).map((at, n) => at - (frames[n] as number));
  const time = (frames.at(-1) ?? 0) - (frames[0] ?? 0);
  return {
    perSecond: (gaps.length / time) * 1_000,
    p99: percentile(gaps, 0.99),
    longest: Math.max(0, ...gaps),
    interaction: Math.max(0, ...interactions),
  };
}

/** The JavaScript heap in use after a collection, MiB. */
export async function heapOf(devtools: CDPSession): Promise<number> {
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  return usedSize / 1024 ** 2;
}

export interface Paint {
  /** First contentful paint, ms after navigation began. */
  first: number;
  /** The first row can be read and opened, ms after navigation began. */
  usable: number;
}

/** Loads a page that is logged in and lists alerts, with an empty cache. */
export async function measureLoad(page: Page, url: string): Promise<Paint> {
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector('[role="grid"] [role="row"][aria-rowindex="2"]')) return;
      observer.disconnect();
      requestAnimationFrame(() => performance.mark('usable'));
    }).observe(document, { subtree: true, childList: true });
  });
  await page.goto(url);
  await page.waitForFunction(() => performance.getEntriesByName('usable').length > 0);
  return page.evaluate(() => ({
    first: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
    usable: performance.getEntriesByName('usable')[0]?.startTime ?? Number.NaN,
  }));
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}
