/** How many a second: whole from 10 on, with one digit below, and never 0 where there was one. */
export function formatRate(rate: number): string {
  if (rate > 0 && rate < 0.1) return '< 0.1';
  return rate.toLocaleString('en', { maximumFractionDigits: rate < 10 ? 1 : 0 });
}
