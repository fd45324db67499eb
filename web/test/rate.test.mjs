import assert from 'node:assert/strict';
import test from 'node:test';
import { load, rounded } from '../test_support/load.mjs';

const { gapLimit, hold, latest, rate } = await load('data/rate.ts');
const column = (...values) => Float64Array.from(values, (value) => value ?? NaN);

test('a counter rises by its difference per second', () => {
  assert.deepEqual(rounded(rate(column(10, 12, 15, 15), 1000)), [null, 2, 3, 0]);
  assert.deepEqual(rounded(rate(column(10, 12, 15, 15), 5000)), [null, 0.4, 0.6, 0]);
});

test('a counter that fell was reset: what it shows is what it rose by', () => {
  assert.deepEqual(rounded(rate(column(100, 110, 4, 9), 1000)), [null, 10, 4, 5]);
});

test('samples further apart than the step spread their rise evenly', () => {
  assert.deepEqual(rounded(rate(column(0, null, null, 6, null, null, 12), 1000)), [null, 2, 2, 2, 2, 2, 2]);
});

test('a pause longer than usual is a gap, not a slow rise', () => {
  const values = column(1, 2, 3, null, null, null, null, null, 8, 9);
  assert.deepEqual(rounded(rate(values, 1000)), [null, 1, 1, null, null, null, null, null, null, 1]);
  assert.deepEqual(rounded(hold(values)), [1, 2, 3, null, null, null, null, null, 8, 9]);
});

test('the usual distance decides what a gap is', () => {
  assert.equal(gapLimit(column(1, 2, 3, 4)), 3);
  assert.equal(gapLimit(column(1, null, null, 2, null, null, 3)), 9);
  assert.equal(gapLimit(column(null, 1, null, null, null)), 5, 'one sample tells no distance');
});

test('a gauge keeps its value until the next sample, and nothing is made up after the last', () => {
  assert.deepEqual(rounded(hold(column(null, 5, null, 7, null))), [null, 5, 5, 7, null]);
});

test('the newest value does not speak of a long gone past', () => {
  assert.equal(latest(column(1, 2, 3, 4, null)), 4);
  assert.ok(Number.isNaN(latest(column(1, 2, 3, null, null, null, null, null))));
  assert.equal(latest(column(7, null, null, null, null, null)), 7);
  assert.ok(Number.isNaN(latest(column(null, null))));
});
