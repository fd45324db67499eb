import assert from 'node:assert/strict';
import test from 'node:test';
import { load, rounded } from '../test_support/load.mjs';

const t = await load('data/format.ts', 'data/selector.ts', 'data/metrics_text.ts', 'data/frame.ts', 'chart/ticks.ts');
// past.ts also asks the server; its reading of answers is what is tested here.
globalThis.location ??= new URL('http://localhost/');
const { frameOfMatrix } = await load('data/past.ts');

test('values with their units', () => {
  const cases = [
    [0, 'bytes', '0 B'], [1023, 'bytes', '1023 B'], [1536, 'bytes', '1.50 KiB'], [16 * 2 ** 30, 'bytes', '16.0 GiB'],
    [-2048, 'bytes/s', '−2.00 KiB/s'], [12.345, 'percent', '12.3 %'], [100, 'percent', '100 %'],
    [2185, 'number', '2,185'], [0.5, 'number', '0.50'], [1_300_000, 'number', '1.30 M'],
    [0.0025, 'seconds', '2.50 ms'], [1500, 'per second', '1.50 k/s'], [NaN, 'bytes', '–'], [Infinity, 'number', '∞'],
  ];
  for (const [value, unit, text] of cases) assert.equal(t.formatValue(value, unit), text);
});

test('ticks without digits that say nothing', () => {
  assert.deepEqual(t.tickLabels('percent', [0, 20, 100]), ['0 %', '20 %', '100 %']);
  assert.deepEqual(t.tickLabels('bytes', [0, 512, 1024, 1536]), ['0 B', '512 B', '1 KiB', '1.5 KiB']);
  assert.deepEqual(t.tickLabels('number', [10.5, 20]), ['10.5', '20']);
});

test('the y axis starts at zero and is never flat', () => {
  assert.deepEqual(t.yRange(null, null, 'percent'), [0, 1]);
  assert.deepEqual(t.yRange(50, 100, 'percent'), [0, 100]);
  const [low, high] = t.yRange(50, null, 'number');
  assert.ok(low === 0 && high > 50);
});

test('ages in two parts', () => {
  assert.deepEqual([0, 59, 60, 3661, 90_061, 86_400, NaN].map(t.formatAge),
    ['0 s', '59 s', '1 min', '1 h 1 min', '1 d 1 h', '1 d', '–']);
});

test('selectors quote what stands in them', () => {
  assert.equal(t.selector('up'), 'up');
  assert.equal(t.selector('up', { instance: 'a"b\\c\nd' }), 'up{instance="a\\"b\\\\c\\nd"}');
  assert.equal(t.anyOf(['a', 'b'], { x: '1' }), '{__name__=~"a|b",x="1"}');
});

test('the text format', () => {
  const samples = t.parseMetricsText([
    '# HELP a Help', '# TYPE a counter', 'a 1', 'b{x="1",y="q\\"}\\\\"} 2.5e3 1700000000', 'c{le="+Inf"} +Inf', 'd{} NaN', '', 'broken{', '{x="1"} 1',
  ].join('\n'));
  assert.deepEqual(samples.slice(0, 3), [
    { name: 'a', labels: {}, value: 1 }, { name: 'b', labels: { x: '1', y: 'q"}\\' }, value: 2500 },
    { name: 'c', labels: { le: '+Inf' }, value: Infinity },
  ]);
  assert.equal(samples.length, 4);
  assert.ok(Number.isNaN(samples[3].value));
});

test('a matrix answer lies on the grid', () => {
  const body = { data: { resultType: 'matrix', result: [{ metric: { __name__: 'up' }, values: [[100, '1'], [102, 'NaN'], [104, '3']] }] } };
  const frame = frameOfMatrix(body, 100_000, 105_000, 2000);
  assert.deepEqual([frame.startMs, frame.endMs], [100_000, 104_000]);
  assert.deepEqual(rounded(frame.series[0].values), [1, null, 3]);
  assert.throws(() => frameOfMatrix({ data: { resultType: 'vector', result: [] } }, 0, 1, 1));
});
