// Pressure stall information: the share of time in which work waited for a resource.
import { type Line, mapValues, metricName, perSecond } from '../data/combine.ts';
import type { Frame } from '../data/frame.ts';

const names: Readonly<Record<string, string>> = {
  node_pressure_cpu_waiting_seconds_total: 'cpu',
  node_pressure_memory_waiting_seconds_total: 'memory',
  node_pressure_io_waiting_seconds_total: 'I/O',
};

export const pressureMetrics = Object.keys(names);

export function pressure(frame: Frame): Line[] {
  return pressureMetrics.flatMap((name) => {
    const series = frame.series.find((candidate) => metricName(candidate.labels) === name);
    if (!series) return [];
    const share = perSecond(series.values, frame.stepMs);
    return [{ label: names[name] as string, values: mapValues(share, (v) => Math.min(100, 100 * v)) }];
  });
}
