// The charts of all hosts together, a line per host.
import type { PanelSpec } from '../chart/panel.tsx';
import { type Line, asIs, linesOf, named, sumBy } from '../data/combine.ts';
import type { Frame } from '../data/frame.ts';
import { anyOf, selector } from '../data/selector.ts';
import { busyBy } from './cpu.ts';
import { memoryUsedBy } from './memory.ts';
import { networkMetrics, trafficBy } from './network.ts';

export const fleetQueries = {
  cpu: selector('node_cpu_seconds_total', { mode: 'idle' }),
  memory: anyOf(['node_memory_MemTotal_bytes', 'node_memory_MemAvailable_bytes']),
  load: 'node_load1',
  network: anyOf(networkMetrics),
};

export function loadBy(frame: Frame): Map<string, Float64Array> {
  return sumBy(named(frame, 'node_load1'), frame.stepMs, asIs, (labels) => labels['instance'] ?? '');
}

// Lines named for people: the host's name where it is known.
export function fleetPanels(names: ReadonlyMap<string, string>): PanelSpec[] {
  const lines = (sums: Map<string, Float64Array>): Line[] =>
    linesOf(sums).map(({ label, values }) => ({ label: names.get(label) ?? label, values }));
  const empty = 'No host has reported this in the range.';
  return [
    { title: 'CPU used', unit: 'percent', queries: [fleetQueries.cpu], max: 100, empty,
      lines: (frame) => lines(busyBy(frame, 'instance')) },
    { title: 'Memory used', unit: 'percent', queries: [fleetQueries.memory], max: 100, empty,
      lines: (frame) => lines(memoryUsedBy(frame, 'instance')) },
    { title: 'Load', hint: '1 min', unit: 'number', queries: [fleetQueries.load], empty,
      lines: (frame) => lines(loadBy(frame)) },
    { title: 'Network', hint: 'in and out, without loopback', unit: 'bytes/s', queries: [fleetQueries.network],
      empty, lines: (frame) => lines(trafficBy(frame, 'instance')) },
  ];
}
