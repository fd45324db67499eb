// Processor use from node_cpu_seconds_total, by mode and by core, in percent.
import { type Line, linesOf, mapValues, named, perSecond, sumBy } from '../data/combine.ts';
import type { Frame, Series } from '../data/frame.ts';

// Bottom of the stack first.
const modes = ['system', 'user', 'nice', 'iowait', 'irq', 'softirq', 'steal'];
// Always shown; the others where they use any time at all.
const usual = new Set(['system', 'user', 'iowait']);

export function cpuSeries(frame: Frame): Series[] {
  return named(frame, 'node_cpu_seconds_total');
}

export function coreCount(frame: Frame): number {
  return new Set(cpuSeries(frame).map((series) => series.labels['cpu'])).size;
}

// Shares of all cores together, so that full use is 100 %.
export function cpuByMode(frame: Frame): Line[] {
  const cores = coreCount(frame);
  const sums = sumBy(cpuSeries(frame), frame.stepMs, perSecond, (labels) => labels['mode'] ?? null);
  return modes.flatMap((mode) => {
    const values = sums.get(mode);
    return values ? [{ label: mode, values: mapValues(values, (v) => (100 * v) / cores) }] : [];
  }).filter(({ label, values }) => usual.has(label) || values.some((value) => value >= 0.05));
}

export function cpuByCore(frame: Frame): Line[] {
  return linesOf(busyBy(frame, 'cpu')).map(({ label, values }) => ({ label: `cpu${label}`, values }));
}

// Busy percent per value of `label` ("instance" for whole hosts), from the idle mode alone.
export function busyBy(frame: Frame, label: string): Map<string, Float64Array> {
  const idle = cpuSeries(frame).filter((series) => series.labels['mode'] === 'idle');
  const cores = new Map<string, number>();
  for (const { labels } of idle) {
    const group = labels[label] ?? '';
    cores.set(group, (cores.get(group) ?? 0) + 1);
  }
  const sums = sumBy(idle, frame.stepMs, perSecond, (labels) => labels[label] ?? '');
  for (const [group, values] of sums) {
    const count = cores.get(group) ?? 1;
    sums.set(group, mapValues(values, (v) => Math.min(100, Math.max(0, 100 - (100 * v) / count))));
  }
  return sums;
}
