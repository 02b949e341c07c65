// The server's own words about what failed, and what the page makes of them.
import { render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { ArchiveBadge, archiveAdvice, isDamaged, restoreAdvice } from './archive';

const object = 'secmon-events-2026-05-01-0196-00000-0196.ndjson.zst';

test.each([
  [`${object} is not what was written: 10 bytes of 812, or another hash`, true],
  [`${object}, line 7: unexpected end of JSON input`, true],
  [`${object} has 3 events, not 4`, true],
  ['secmon-events-2026-05-01-0196.manifest.json speaks of 3 events, not 4', true],
  [`write ${object}: no space left on device`, false],
  [`read ${object}: operation error S3: GetObject, https response error StatusCode: 403, AccessDenied`, false],
])('%s: damaged %s', (error, damaged) => {
  expect(isDamaged(error)).toBe(damaged);
  render(<ArchiveBadge state="WRITTEN" error={error} />);
  expect(screen.getByText(damaged ? 'Damaged' : 'Waits')).toBeTruthy();
});

test('what failed says what to do', () => {
  expect(archiveAdvice('its archive is begun, and this server has none: see --archive')).toMatch(/every replica/);
  expect(archiveAdvice('write x: no space left on device')).toMatch(/Make room/);
  expect(archiveAdvice('write x: https response error StatusCode: 403, AccessDenied')).toMatch(/rights/);
  expect(archiveAdvice('write x: dial tcp: connection refused')).toMatch(/reaches/);
  expect(archiveAdvice(`${object} has 3 events, not 4`)).toMatch(/as it was written/);
  expect(restoreAdvice('more than 2000000 events: restore fewer days, or with a query')).toMatch(/fewer days/);
  expect(restoreAdvice(`${object} has 3 events, not 4`)).toMatch(/another copy/);
});
