// Alerts, silences, history and receivers as the server's API tells them, and what one can do about them.
import { fetchJson } from './fetch_json.ts';
import type { LabelSet } from './frame.ts';

export type AlertState = 'firing' | 'pending' | 'acknowledged' | 'silenced' | 'inhibited' | 'muted';

export interface Alert {
  readonly id: string;  // fingerprint; empty: pending in a rule, not yet an alert
  readonly name: string;
  readonly severity: string;
  readonly labels: LabelSet;  // all of them
  readonly text: string;      // what decided, for people
  readonly runbook: string;   // an address, or empty
  readonly state: AlertState;
  readonly detail: string;    // who silences, inhibits or acknowledged
  readonly sinceMs: number;
  readonly value: number;     // of the rule's expression; NaN: not of a rule of ours
  readonly flapping: boolean;
  readonly receivers: readonly string[];
}

interface Acknowledgement { readonly by: string; readonly note: string; readonly expiresAt?: string }

export interface ApiAlert {
  readonly labels: LabelSet; readonly annotations: LabelSet; readonly fingerprint: string; readonly startsAt: string;
  readonly receivers: readonly { readonly name: string }[];
  readonly status: { readonly state: string; readonly silencedBy: string[]; readonly inhibitedBy: string[]; readonly mutedBy: string[] };
  readonly acknowledgement: Acknowledgement | null;
  readonly flapping: boolean;
}

export interface RuleAlert {
  readonly labels: LabelSet; readonly annotations: LabelSet; readonly state: string; readonly activeAt: string; readonly value: string;
}

function stateOf(alert: ApiAlert): [AlertState, string] {
  const { silencedBy, inhibitedBy, mutedBy } = alert.status;
  const ack = alert.acknowledgement;
  if (silencedBy.length > 0) return ['silenced', `by ${silencedBy.join(', ')}`];
  if (inhibitedBy.length > 0) return ['inhibited', `by ${inhibitedBy.length} other${inhibitedBy.length > 1 ? 's' : ''}`];
  if (mutedBy.length > 0) return ['muted', `by ${mutedBy.join(', ')}`];
  if (ack) return ['acknowledged', `by ${ack.by}${ack.note ? `: ${ack.note}` : ''}`];
  return ['firing', ''];
}

// The one annotation that says most in a line.
function textOf(annotations: LabelSet): string {
  return annotations['summary'] || annotations['message'] || annotations['description'] || '';
}

function keyOf(labels: LabelSet): string {
  return JSON.stringify(Object.entries(labels).sort());
}

// What is known of one alert from both sides: the router knows who looks after it, the rules its value.
export function mergeAlerts(active: readonly ApiAlert[], fromRules: readonly RuleAlert[]): Alert[] {
  const values = new Map(fromRules.map((alert) => [keyOf(alert.labels), Number(alert.value)]));
  const common = ({ labels, annotations }: { labels: LabelSet; annotations: LabelSet }) => ({
    name: labels['alertname'] ?? '', severity: labels['severity'] ?? '', labels, text: textOf(annotations),
    runbook: /^https?:/.test(annotations['runbook_url'] ?? '') ? annotations['runbook_url'] as string : '',
    value: values.get(keyOf(labels)) ?? NaN,
  });
  const firing = active.map((alert): Alert => {
    const [state, detail] = stateOf(alert);
    return { ...common(alert), id: alert.fingerprint, state, detail, sinceMs: Date.parse(alert.startsAt), flapping: alert.flapping,
      receivers: alert.receivers.map(({ name }) => name) };
  });
  const pending = fromRules.filter(({ state }) => state === 'pending').map((alert): Alert => (
    { ...common(alert), id: '', state: 'pending', detail: '', sinceMs: Date.parse(alert.activeAt), flapping: false, receivers: [] }));
  return [...firing, ...pending];
}

const stateOrder: readonly AlertState[] = ['firing', 'pending', 'acknowledged', 'silenced', 'inhibited', 'muted'];
const severityOrder = ['page', 'critical', 'error', 'high', 'warning', 'info'];

function rank<T>(order: readonly T[], what: T): number {
  const at = order.indexOf(what);
  return at < 0 ? order.length : at;
}

function worstFirst(a: Alert, b: Alert): number {
  return rank(stateOrder, a.state) - rank(stateOrder, b.state) || rank(severityOrder, a.severity) - rank(severityOrder, b.severity) ||
    a.name.localeCompare(b.name) || a.sinceMs - b.sinceMs;
}

export interface AlertGroup { readonly name: string; readonly alerts: readonly Alert[] }

// One group for each name, the worst first.
export function groupAlerts(alerts: readonly Alert[], words: readonly string[]): AlertGroup[] {
  const groups = new Map<string, Alert[]>();
  for (const alert of alerts.filter((one) => fitsAlert(one, words)).sort(worstFirst)) {
    const list = groups.get(alert.name);
    if (list) list.push(alert);
    else groups.set(alert.name, [alert]);
  }
  return [...groups].map(([name, list]) => ({ name, alerts: list }));
}

function fitsAlert(alert: Alert, words: readonly string[]): boolean {
  const text = [alert.text, alert.state, alert.detail, ...Object.entries(alert.labels).flat()].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

export async function askAlerts(): Promise<Alert[]> {
  const [active, rules] = await Promise.all([fetchJson('/api/binnacle/v1/alerts'), fetchJson('/api/v1/alerts')]);
  return mergeAlerts((active as { alerts: ApiAlert[] }).alerts, (rules as { data: { alerts: RuleAlert[] } }).data.alerts);
}

export interface Matcher { readonly name: string; readonly value: string; readonly isRegex: boolean; readonly isEqual?: boolean }

export interface Silence {
  readonly id: string; readonly status: { readonly state: string }; readonly matchers: readonly Matcher[];
  readonly startsAt: string; readonly endsAt: string; readonly createdBy: string; readonly comment: string;
}

export function matcherText({ name, value, isRegex, isEqual = true }: Matcher): string {
  return `${name}${isEqual ? '=' : '!'}${isRegex ? '~' : isEqual ? '' : '='}${JSON.stringify(value)}`;
}

export async function askSilences(): Promise<readonly Silence[]> {
  return (await fetchJson('/api/v2/silences?expired=false')) as Silence[];
}

export interface HistoryEntry {
  readonly id: number; readonly time: string; readonly kind: string; readonly labels: LabelSet; readonly receiver?: string;
  readonly groupKey?: string; readonly text: string;
}

export async function askHistory(before = 0): Promise<readonly HistoryEntry[]> {
  const more = before > 0 ? `&before=${before}` : '';
  return ((await fetchJson(`/api/binnacle/v1/alerts/history?limit=100${more}`)) as { entries: HistoryEntry[] }).entries;
}

export interface Receiver { readonly name: string; readonly integrations: readonly { readonly kind: string; readonly index: number }[] }
export interface TestResult { readonly integration: string; readonly sent: boolean; readonly error: string }

export async function askReceivers(): Promise<readonly Receiver[]> {
  return ((await fetchJson('/api/binnacle/v1/alerts/receivers')) as { receivers: Receiver[] }).receivers;
}

export interface Rule {
  readonly name: string; readonly type: string; readonly query: string; readonly health: string; readonly lastError?: string;
  readonly state?: string; readonly lastEvaluation?: string; readonly evaluationTime?: number; readonly alerts?: readonly unknown[];
}
export interface RuleGroup { readonly name: string; readonly file: string; readonly interval?: number; readonly rules: readonly Rule[] }

export async function askRules(): Promise<readonly RuleGroup[]> {
  return ((await fetchJson('/api/v1/rules')) as { data: { groups: RuleGroup[] } }).data.groups;
}

const alertPath = (id: string) => `/api/binnacle/v1/alerts/${id}/acknowledgement`;

export const acknowledge = (id: string, note: string, length: string) =>
  fetchJson(alertPath(id), { method: 'POST', body: { note, ...(length && { for: length }) } });
export const unacknowledge = (id: string) => fetchJson(alertPath(id), { method: 'DELETE' });
export const expireSilence = (id: string) => fetchJson(`/api/v2/silence/${encodeURIComponent(id)}`, { method: 'DELETE' });

export function silence(matchers: readonly Matcher[], fromMs: number, lengthMs: number, createdBy: string, comment: string): Promise<unknown> {
  const body = { matchers, startsAt: new Date(fromMs).toISOString(), endsAt: new Date(fromMs + lengthMs).toISOString(), createdBy, comment };
  return fetchJson('/api/v2/silences', { method: 'POST', body });
}

export async function testReceiver(name: string): Promise<readonly TestResult[]> {
  const answer = await fetchJson(`/api/binnacle/v1/alerts/receivers/${encodeURIComponent(name)}/test`, { method: 'POST', body: {} });
  return (answer as { results: TestResult[] }).results;
}
