// Memory use from node_memory_*_bytes: what programs hold, what the kernel keeps as cache, what is free.
import { type Line, addInto, asIs, combine, largest, mapValues, named, sumBy } from '../data/combine.ts';
import type { Frame } from '../data/frame.ts';

export const memoryMetrics = [
  'MemTotal', 'MemFree', 'MemAvailable', 'Buffers', 'Cached', 'SReclaimable', 'SwapTotal', 'SwapFree',
].map((field) => `node_memory_${field}_bytes`);

function field(frame: Frame, name: string): Float64Array | undefined {
  return sumBy(named(frame, `node_memory_${name}_bytes`), frame.stepMs, asIs, () => '').get('');
}

// Under the total; the room that is left above is free.
export function memoryStack(frame: Frame): Line[] {
  const total = field(frame, 'MemTotal');
  const free = field(frame, 'MemFree');
  if (!total || !free) return [];
  const cache = new Float64Array(frame.length).fill(NaN);
  for (const name of ['Buffers', 'Cached', 'SReclaimable']) {
    const part = field(frame, name);
    if (part) addInto(cache, part);
  }
  const known = mapValues(cache, (value) => (Number.isNaN(value) ? 0 : value));
  const held = combine(combine(total, free, (t, f) => t - f), known, (rest, c) => Math.max(0, rest - c));
  return [
    { label: 'used', values: held },
    { label: 'cache', values: cache },
  ];
}

export function memoryTotal(frame: Frame): Float64Array | undefined {
  return field(frame, 'MemTotal');
}

export function swapUsed(frame: Frame): Line[] {
  const total = field(frame, 'SwapTotal');
  const free = field(frame, 'SwapFree');
  if (!total || !free || !largest(total)) return [];
  return [{ label: 'swap', values: combine(total, free, (t, f) => t - f) }];
}

// Percent of memory that programs could not get, per value of `label`.
export function memoryUsedBy(frame: Frame, label: string): Map<string, Float64Array> {
  const group = (labels: Readonly<Record<string, string>>) => labels[label] ?? '';
  const totals = sumBy(named(frame, 'node_memory_MemTotal_bytes'), frame.stepMs, asIs, group);
  const available = sumBy(named(frame, 'node_memory_MemAvailable_bytes'), frame.stepMs, asIs, group);
  const used = new Map<string, Float64Array>();
  for (const [host, total] of totals) {
    const rest = available.get(host);
    if (rest) used.set(host, combine(total, rest, (t, a) => 100 * (1 - a / t)));
  }
  return used;
}
