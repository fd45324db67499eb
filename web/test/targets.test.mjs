import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from '../test_support/load.mjs';

const { fits, poolsOf } = await load('data/targets.ts');

const target = (scrapePool, scrapeUrl, health, lastError = '') => ({
  scrapePool, scrapeUrl, health, lastError, labels: { job: scrapePool }, discoveredLabels: {},
  lastScrape: health === 'unknown' ? '0001-01-01T00:00:00Z' : '2026-01-02T03:04:05.5Z', lastScrapeDuration: 0.01,
});
const answer = { data: {
  activeTargets: [target('b', 'http://b:1/metrics', 'up'), target('b', 'http://a:1/metrics', 'unknown'), target('a', 'http://c:1/metrics', 'down', 'refused')],
  droppedTargetCounts: { b: 2, none: 0 },
} };

test('targets come by pool, the worst of each first', () => {
  const pools = poolsOf(answer);
  assert.deepEqual(pools.map(({ name, up, dropped, targets }) => [name, up, dropped, targets.map(({ url }) => url)]), [
    ['a', 0, 0, ['http://c:1/metrics']],
    ['b', 1, 2, ['http://a:1/metrics', 'http://b:1/metrics']],
    ['none', 0, 0, []],
  ]);
});

test('a target that was never scraped has no time', () => {
  const [, b] = poolsOf(answer);
  assert.deepEqual(b.targets.map(({ lastScrapeMs }) => lastScrapeMs), [null, Date.UTC(2026, 0, 2, 3, 4, 5, 500)]);
});

test('a filter wants each of its words somewhere', () => {
  const [a] = poolsOf(answer);
  assert.ok(fits(a.targets[0], ['refused', 'job']));
  assert.ok(fits(a.targets[0], ['down']));
  assert.ok(!fits(a.targets[0], ['down', 'elsewhere']));
});
