/** "1 alert", "2,000 alerts". */
export function alertsText(count: number): string {
  return `${count.toLocaleString('en')} ${count === 1 ? 'alert' : 'alerts'}`;
}
