// The time range of the page, as the address holds it: `?range=15m` follows the present, `?from=…&to=…` is
// fixed. Everything here is pure, so that an address means the same in every browser.
import { formatDuration, parseDuration } from './duration.ts';

export type TimeRange =
  | { readonly kind: 'last'; readonly ms: number }
  | { readonly kind: 'between'; readonly fromMs: number; readonly toMs: number };

export const defaultRange: TimeRange = { kind: 'last', ms: 900_000 };
export const presets: readonly number[] = ['5m', '15m', '30m', '1h', '3h', '12h', '24h', '7d'].map(
  (text) => parseDuration(text) as number,
);

const shortestMs = 10_000;
const longestMs = 400 * 86_400_000;

function parseInstant(text: string | null): number | null {
  if (!text) return null;
  const ms = /^\d{10,14}$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isFinite(ms) ? ms : null;
}

// What cannot be understood falls back to the default: an address mangled in a chat still opens the page.
export function parseRange(params: URLSearchParams): TimeRange {
  const fromMs = parseInstant(params.get('from'));
  const toMs = parseInstant(params.get('to'));
  if (fromMs !== null && toMs !== null) return between(fromMs, toMs) ?? defaultRange;
  const ms = parseDuration(params.get('range') ?? '');
  return ms !== null && ms >= shortestMs && ms <= longestMs ? { kind: 'last', ms } : defaultRange;
}

// null when the range is backwards or too long; one that is too short grows round its middle.
export function between(fromMs: number, toMs: number): TimeRange | null {
  if (!(fromMs < toMs) || toMs - fromMs > longestMs) return null;
  const missing = Math.max(0, shortestMs - (toMs - fromMs)) / 2;
  const roundDown = Math.floor((fromMs - missing) / 1000) * 1000;
  return { kind: 'between', fromMs: roundDown, toMs: Math.ceil((toMs + missing) / 1000) * 1000 };
}

export function writeRange(range: TimeRange, params: URLSearchParams): void {
  for (const name of ['range', 'from', 'to']) params.delete(name);
  if (range.kind === 'between') {
    params.set('from', instantText(range.fromMs));
    params.set('to', instantText(range.toMs));
  } else if (range.ms !== (defaultRange as { ms: number }).ms) {
    params.set('range', formatDuration(range.ms));
  }
}

function instantText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

export function rangeKey(range: TimeRange): string {
  return range.kind === 'last' ? `last ${range.ms}` : `${range.fromMs} ${range.toMs}`;
}

export function rangeLengthMs(range: TimeRange): number {
  return range.kind === 'last' ? range.ms : range.toMs - range.fromMs;
}

const steps: readonly number[] = [
  '1s', '2s', '5s', '10s', '15s', '30s', '1m', '2m', '5m', '10m', '15m', '30m', '1h', '2h', '6h', '12h', '1d',
].map((text) => parseDuration(text) as number);

// The finest step that draws the range in at most `maxPoints` points: more would not be seen.
export function stepFor(lengthMs: number, maxPoints: number): number {
  return steps.find((step) => lengthMs / step <= maxPoints) ?? (steps[steps.length - 1] as number);
}
