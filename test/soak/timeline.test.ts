import { expect, it } from 'vitest';
import { now, timelineOf } from './timeline.js';

it('has both values while a change is made, and the new one when that is done', () => {
  const timeline = timelineOf('a');
  const before = now();
  const change = timeline.begin('b');
  expect(timeline.latest).toBe('b');
  expect(timeline.values(before, now())).toEqual(['a', 'b']);
  change.done();
  const after = now() + 1;
  expect(timeline.values(after, after)).toEqual(['b']);
  expect(timeline.values(before - 1, after)).toEqual(['a', 'b']);
});

it('forgets a change that was not made', () => {
  const timeline = timelineOf('a');
  timeline.begin('b').undone();
  const after = now() + 1;
  expect(timeline.latest).toBe('a');
  expect(timeline.values(after, after)).toEqual(['a']);
});

it('keeps what was two minutes ago, however many changes there were since', () => {
  const timeline = timelineOf(0);
  const before = now();
  for (let value = 1; value <= 200; value++) timeline.begin(value).done();
  expect(timeline.values(before, now())).toHaveLength(201);
});
