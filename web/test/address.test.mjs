import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from '../test_support/load.mjs';

const a = await load('address/range.ts', 'address/duration.ts', 'address/route.ts', 'address/next.ts');
const parse = (text) => a.parseRange(new URLSearchParams(text));
const write = (range, before = '') => {
  const params = new URLSearchParams(before);
  a.writeRange(range, params);
  return params.toString();
};

test('durations', () => {
  assert.equal(a.parseDuration('1h30m'), 5_400_000);
  assert.equal(a.parseDuration('500ms'), 500);
  for (const bad of ['', '5', 'm', '5x', '-5m', '0s', '1.5h', '5m ']) assert.equal(a.parseDuration(bad), null, bad);
  for (const text of ['15m', '1h30m', '7d', '90ms']) assert.equal(a.formatDuration(a.parseDuration(text)), text);
  assert.equal(a.durationInWords(900_000), '15 minutes');
  assert.equal(a.durationInWords(86_400_000), '1 day');
  assert.equal(a.durationInWords(5_400_000), '90 minutes');
});

test('a range survives the address', () => {
  for (const range of [
    { kind: 'last', ms: 300_000 },
    a.defaultRange,
    { kind: 'between', fromMs: Date.UTC(2026, 0, 2, 3, 4, 5), toMs: Date.UTC(2026, 0, 2, 4, 0, 0) },
  ]) {
    assert.deepEqual(parse(write(range)), range);
  }
  assert.equal(write(a.defaultRange, 'range=1h&q=up'), 'q=up', 'the default needs no words; others stay');
  assert.equal(write({ kind: 'last', ms: 60_000 }, 'from=1&to=2'), 'range=1m');
});

test('epoch milliseconds are understood', () => {
  assert.deepEqual(parse('from=1700000000000&to=1700000060000'),
    { kind: 'between', fromMs: 1_700_000_000_000, toMs: 1_700_000_060_000 });
});

test('a mangled range falls back to the default', () => {
  for (const bad of ['', 'range=', 'range=-5m', 'range=1s', 'range=9999d', 'from=x&to=y', 'from=2026-01-02T00:00:00Z',
    'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z']) {
    assert.deepEqual(parse(bad), a.defaultRange, bad);
  }
});

test('a drag of a hair grows to something one can see', () => {
  const range = a.between(1_000_000, 1_000_400);
  assert.ok(range.toMs - range.fromMs >= 10_000);
  assert.ok(range.fromMs < 1_000_000 && range.toMs > 1_000_400);
});

test('steps are as fine as the points allow', () => {
  assert.equal(a.stepFor(900_000, 900), 1000);
  assert.equal(a.stepFor(900_000, 450), 2000);
  assert.equal(a.stepFor(86_400_000, 900), 120_000);
  assert.ok(7 * 86_400_000 / a.stepFor(7 * 86_400_000, 900) <= 900);
});

test('addresses mean pages', () => {
  assert.deepEqual(a.parseRoute('/'), { page: 'overview' });
  assert.deepEqual(a.parseRoute('/hosts'), { page: 'host', instance: null });
  assert.deepEqual(a.parseRoute('/hosts/'), { page: 'host', instance: null });
  assert.deepEqual(a.parseRoute(a.hostPath('node-1:9100')), { page: 'host', instance: 'node-1:9100' });
  assert.deepEqual(a.parseRoute(a.hostPath('a/b <c>')), { page: 'host', instance: 'a/b <c>' });
  assert.deepEqual(a.parseRoute('/hosts/100%'), { page: 'host', instance: '100%' });
  assert.deepEqual(a.parseRoute('/explore'), { page: 'explore' });
  for (const path of ['/nope', '/hosts/a/b', '/status/x']) assert.equal(a.parseRoute(path).page, 'unknown', path);
});

test('signing in never leads to another site', () => {
  assert.equal(a.safeNext('/hosts/a?range=5m'), '/hosts/a?range=5m');
  for (const bad of [null, '', 'https://evil.example', '//evil.example', '/\\evil.example', 'javascript:x', '/\n/x']) {
    assert.equal(a.safeNext(bad), '/', String(bad));
  }
});
