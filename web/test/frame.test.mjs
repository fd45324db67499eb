import assert from 'node:assert/strict';
import test from 'node:test';
import { frameOf, load, rounded } from '../test_support/load.mjs';

const { Frame, parseValue } = await load('data/frame.ts');
const only = (frame, ref = 0) => rounded(frame.series.find((series) => series.ref === ref).values);

test('values lie where their time says', () => {
  const frame = new Frame(1000, 10_000, 4000);
  frame.add({ ref: 0, metric: { __name__: 'a' } }, 5000, [1, 2, 3, 4, 5, 6, 7]);
  assert.equal(frame.startMs, 6000);
  assert.deepEqual(only(frame), [2, 3, 4, 5, 6]);
  frame.add({ ref: 1, metric: { __name__: 'b' } }, 9000, ['NaN', '2.5']);
  assert.deepEqual(only(frame, 1), [null, null, null, null, 2.5]);
});

test('a live frame slides: the oldest goes, the length stays', () => {
  const frame = frameOf(Frame, [[{ __name__: 'a' }, [1, 2, 3]]], { endMs: 3000 });
  frame.append(4000, [], [4]);
  assert.deepEqual(only(frame), [2, 3, 4]);
  assert.deepEqual([frame.startMs, frame.endMs, frame.lastSampleMs()], [2000, 4000, 4000]);
});

test('steps that never came stay empty', () => {
  const frame = frameOf(Frame, [[{ __name__: 'a' }, [1, 2, 3, 4]]], { endMs: 4000 });
  frame.append(6000, [], [6]);
  assert.deepEqual(only(frame), [3, 4, null, 6]);
  frame.append(6000, [], [7]);
  assert.deepEqual(only(frame), [3, 4, null, 7], 'the same step again replaces it');
  frame.append(5000, [], [5]);
  assert.deepEqual(only(frame), [3, 4, null, 7], 'an older step is dropped');
  frame.append(60_000, [], [9]);
  assert.deepEqual(only(frame), [null, null, null, 9], 'a leap beyond the window empties it');
});

test('series come, go and come back by their ref', () => {
  const frame = frameOf(Frame, [[{ __name__: 'a' }, [1, 2]]], { endMs: 2000 });
  frame.append(3000, [{ ref: 1, metric: { __name__: 'b' } }], [null, 7]);
  assert.deepEqual(frame.series.map((series) => series.labels.__name__), ['a', 'b']);
  frame.append(4000, [], [null, 8]);
  assert.deepEqual(frame.series.map((series) => series.labels.__name__), ['b'], 'nothing of a is left');
  frame.append(5000, [], [5, 9]);
  assert.deepEqual(only(frame, 0), [null, 5]);
  frame.append(6000, [], [6, 9, 1]);
  assert.equal(frame.series.length, 2, 'a value without a known series is left out');
});

test('the newest sample, of all or of one instance', () => {
  const frame = frameOf(Frame, [
    [{ __name__: 'a', instance: 'x' }, [1, null, null]],
    [{ __name__: 'a', instance: 'y' }, [1, 2, null]],
  ], { endMs: 3000 });
  assert.equal(frame.lastSampleMs(), 2000);
  assert.equal(frame.lastSampleMs('x'), 1000);
  assert.equal(frame.lastSampleMs('z'), null);
});

test('numbers that JSON has no word for', () => {
  assert.deepEqual([parseValue('+Inf'), parseValue('-Inf'), parseValue('1e3')], [Infinity, -Infinity, 1000]);
  assert.ok(Number.isNaN(parseValue('NaN')) && Number.isNaN(parseValue(null)) && Number.isNaN(parseValue(undefined)));
});
