import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from '../test_support/load.mjs';

const { groupAlerts, matcherText, mergeAlerts, parseRoute } = await load('data/alerts.ts', 'address/route.ts');

const active = (name, more = {}) => ({
  labels: { alertname: name, ...more.labels }, annotations: more.annotations ?? {}, fingerprint: `f-${name}`,
  startsAt: '2026-01-02T03:04:05.000Z', receivers: [{ name: 'team' }], acknowledgement: more.acknowledgement ?? null, flapping: false,
  status: { state: 'active', silencedBy: [], inhibitedBy: [], mutedBy: [], ...more.status },
});
const ofRule = (name, state, value, labels = {}) => ({
  labels: { alertname: name, ...labels }, annotations: { summary: `${name} of a rule` }, state, activeAt: '2026-01-02T03:00:00Z', value,
});

test('an alert has its value from the rule and its state from the router', () => {
  const [full, soon, ...more] = mergeAlerts(
    [active('Full', { labels: { severity: 'critical' }, annotations: { description: 'long', summary: 'short', runbook_url: 'javascript:alert(1)' } })],
    [ofRule('Full', 'firing', '9.5e+01', { severity: 'critical' }), ofRule('Soon', 'pending', '1')]);
  assert.deepEqual(more, []);
  assert.deepEqual([full.state, full.value, full.text, full.severity, full.id, full.runbook], ['firing', 95, 'short', 'critical', 'f-Full', '']);
  assert.deepEqual([soon.state, soon.value, soon.id], ['pending', 1, '']);
  assert.equal(soon.sinceMs, Date.UTC(2026, 0, 2, 3));
});

test('the state says why nobody is told', () => {
  const states = mergeAlerts([
    active('a', { status: { silencedBy: ['s1'] } }), active('b', { status: { inhibitedBy: ['x', 'y'] } }), active('c', { status: { mutedBy: ['night'] } }),
    active('d', { acknowledgement: { by: 'ann', note: 'on it' } }), active('e'),
  ], []).map(({ state, detail }) => [state, detail]);
  assert.deepEqual(states, [['silenced', 'by s1'], ['inhibited', 'by 2 others'], ['muted', 'by night'], ['acknowledged', 'by ann: on it'], ['firing', '']]);
});

test('groups come worst first, and a filter wants each of its words', () => {
  const alerts = mergeAlerts([
    active('Slow', { labels: { severity: 'warning', job: 'api' } }), active('Known', { labels: { severity: 'critical' }, acknowledgement: { by: 'a', note: '' } }),
    active('Full', { labels: { severity: 'critical', job: 'db' } }),
  ], [ofRule('Soon', 'pending', '1', { severity: 'critical' })]);
  assert.deepEqual(groupAlerts(alerts, []).map(({ name }) => name), ['Full', 'Slow', 'Soon', 'Known']);
  assert.deepEqual(groupAlerts(alerts, ['job', 'api']).map(({ name }) => name), ['Slow']);
  assert.deepEqual(groupAlerts(alerts, ['nowhere']), []);
});

test('matchers read as one writes them', () => {
  assert.equal(matcherText({ name: 'a', value: 'b', isRegex: false }), 'a="b"');
  assert.equal(matcherText({ name: 'a', value: 'b', isRegex: false, isEqual: false }), 'a!="b"');
  assert.equal(matcherText({ name: 'a', value: 'b.*', isRegex: true, isEqual: true }), 'a=~"b.*"');
  assert.equal(matcherText({ name: 'a', value: 'b.*', isRegex: true, isEqual: false }), 'a!~"b.*"');
});

test('each view has an address', () => {
  assert.deepEqual(parseRoute('/alerts'), { page: 'alerts', view: 'active' });
  assert.deepEqual(parseRoute('/alerts/silences'), { page: 'alerts', view: 'silences' });
  assert.deepEqual(parseRoute('/alerts/nothing'), { page: 'unknown' });
});
