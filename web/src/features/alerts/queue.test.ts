import { describe, expect, test } from 'vitest';
import type { FeedChange } from '../../gql/schema';
import { orderOf, placeOf } from './order';
import { appendPage, applyEntries, emptyQueue, isSettled, mostArrived, type Queue, release, remove } from './queue';

const at = (second: number) => `2026-05-04T09:30:${String(second).padStart(2, '0')}.000000Z`;
const entry = (change: FeedChange, id: string, second: number) => ({ change, item: { id, place: at(second) } });
const listed = (hasMore = false): Queue =>
  appendPage(
    emptyQueue,
    [
      { id: 'c', place: at(30) },
      { id: 'b', place: at(20) },
      { id: 'a', place: at(10) },
    ],
    hasMore,
  );

describe('the live queue', () => {
  test('new alerts wait, and no row moves', () => {
    const queue = applyEntries(listed(), [entry('ENTERED', 'd', 40), entry('UPDATED', 'a', 41)]);
    expect(queue.ids).toEqual(['c', 'b', 'a']);
    expect([...queue.arrived.keys()]).toEqual(['d']);
  });

  test('releasing puts everything in its place, and tells what is new', () => {
    const queue = release(applyEntries(listed(), [entry('ENTERED', 'd', 40), entry('UPDATED', 'a', 41)]));
    expect(queue.ids).toEqual(['a', 'd', 'c', 'b']);
    expect([...queue.fresh]).toEqual(['d']);
  });

  test('an alert that left keeps its row until release', () => {
    const queue = applyEntries(listed(), [entry('LEFT', 'b', 20)]);
    expect(queue.ids).toContain('b');
    expect(queue.gone.has('b')).toBe(true);
    expect(release(queue).ids).toEqual(['c', 'a']);
  });

  test('one that left and came back stays', () => {
    const queue = applyEntries(listed(), [entry('LEFT', 'b', 20), entry('ENTERED', 'b', 50)]);
    expect(release(queue).ids).toEqual(['b', 'c', 'a']);
  });

  test('one that came and left again was never there', () => {
    const queue = applyEntries(listed(), [entry('ENTERED', 'd', 40), entry('LEFT', 'd', 40)]);
    expect(queue.arrived.size).toBe(0);
    expect(release(queue).ids).toEqual(['c', 'b', 'a']);
  });

  test('an update of one that is not loaded is shown only when it belongs above the last row', () => {
    const queue = applyEntries(listed(true), [entry('UPDATED', 'old', 5), entry('UPDATED', 'again', 45)]);
    expect([...queue.arrived.keys()]).toEqual(['again']);
  });

  test('the same entry twice, as after a resume, changes nothing', () => {
    const once = applyEntries(listed(), [entry('ENTERED', 'd', 40)]);
    expect(release(applyEntries(once, [entry('ENTERED', 'd', 40)])).ids).toEqual(release(once).ids);
  });

  test('a further page does not double what came meanwhile', () => {
    const queue = applyEntries(listed(true), [entry('ENTERED', 'd', 40)]);
    const more = appendPage(
      queue,
      [
        { id: 'd', place: at(40) },
        { id: 'z', place: at(1) },
      ],
      false,
    );
    expect(release(more).ids).toEqual(['d', 'c', 'b', 'a', 'z']);
  });

  test('a further page does not move down what was seen again meanwhile', () => {
    const queue = applyEntries(listed(true), [entry('UPDATED', 'z', 40)]);
    expect(release(appendPage(queue, [{ id: 'z', place: at(1) }], false)).ids).toEqual(['z', 'c', 'b', 'a']);
  });

  test('when the last row is seen again, what belongs above where it stood still arrives', () => {
    const queue = applyEntries(listed(true), [entry('UPDATED', 'a', 50), entry('ENTERED', 'd', 40)]);
    expect(release(applyEntries(queue, [entry('ENTERED', 'e', 15)])).ids).toEqual(['a', 'd', 'c', 'b', 'e']);
  });

  test('an instant with a fraction is later than the same one without', () => {
    const page = [
      { id: 'whole', place: '2026-05-04T09:30:00Z' },
      { id: 'half', place: '2026-05-04T09:30:00.5Z' },
    ];
    expect(release(appendPage(emptyQueue, page, false)).ids).toEqual(['half', 'whole']);
  });

  test('rows beyond the most are let go, and can be read again', () => {
    const queue = release(listed(), 2);
    expect(queue.ids).toEqual(['c', 'b']);
    expect(queue.hasMore).toBe(true);
  });

  test('past the bound new ones are not kept apart, and the queue says so until it is released', () => {
    const many = Array.from({ length: mostArrived }, (_, n) => entry('ENTERED', `n${n}`, 50));
    const full = applyEntries(listed(), many);
    expect(full.overflowed).toBe(false);
    const again = applyEntries(full, [entry('UPDATED', 'n0', 51)]);
    expect(again.overflowed, 'one that waits already takes no more room').toBe(false);
    const over = applyEntries(full, [entry('ENTERED', 'further', 52)]);
    expect([over.overflowed, over.arrived.size]).toEqual([true, mostArrived]);
    expect(release(over).overflowed).toBe(false);
  });

  test('many that come at once are not drawn as new', () => {
    const few = release(applyEntries(listed(), [entry('ENTERED', 'x', 50)]));
    expect([...few.fresh]).toEqual(['x']);
    const ids = ['p', 'q', 'r', 's', 't', 'u'];
    const many = release(
      applyEntries(
        listed(),
        ids.map((id) => entry('ENTERED', id, 50)),
      ),
    );
    expect(many.fresh.size).toBe(0);
  });

  test('one that waited and belongs below the loaded pages by now waits no longer', () => {
    const queue = { ...appendPage(emptyQueue, [{ id: 'b', place: at(20) }], true), arrived: new Map([['x', at(30)]]) };
    expect(applyEntries(queue, [entry('UPDATED', 'x', 10)]).arrived.size).toBe(0);
  });

  test('alerts of one moment stand in the order of their ids, whatever these end with', () => {
    const page = ['1Y', '1Z', '1X'].map((id) => ({ id, place: at(20) }));
    expect(release(appendPage(emptyQueue, page, false)).ids).toEqual(['1Z', '1Y', '1X']);
  });

  test('alerts that are no longer there leave at once', () => {
    const queue = remove(applyEntries(listed(), [entry('LEFT', 'b', 20)]), ['b', 'never listed']);
    expect(queue.ids).toEqual(['c', 'a']);
    expect(isSettled(queue)).toBe(true);
  });

  test('by severity, what is worse comes first whenever it was seen', () => {
    const placed = (id: string, severity: 'HIGH' | 'LOW' | 'CRITICAL', second: number) => ({
      id,
      place: placeOf({ severity, lastSeen: at(second), createdAt: at(0) }, orderOf('severity')),
    });
    const page = [placed('high', 'HIGH', 10), placed('low', 'LOW', 40)];
    const queue = applyEntries(appendPage(emptyQueue, page, false), [
      { change: 'ENTERED', item: placed('critical', 'CRITICAL', 1) },
      { change: 'UPDATED', item: placed('low', 'LOW', 50) },
      { change: 'ENTERED', item: placed('later', 'HIGH', 20) },
    ]);
    expect(release(queue).ids).toEqual(['critical', 'later', 'high', 'low']);
  });
});
