// Gauges shown as they are, each metric under a short name.
import { type Line, asIs, named, sumBy } from '../data/combine.ts';
import type { Frame } from '../data/frame.ts';

export const loadNames = { node_load1: '1 min', node_load5: '5 min', node_load15: '15 min' };
export const processNames = { node_procs_running: 'running', node_procs_blocked: 'blocked' };

export function gauges(frame: Frame, names: Readonly<Record<string, string>>): Line[] {
  return Object.entries(names).flatMap(([name, label]) => {
    const values = sumBy(named(frame, name), frame.stepMs, asIs, () => '').get('');
    return values ? [{ label, values }] : [];
  });
}

export function gauge(frame: Frame, name: string): Float64Array | undefined {
  return gauges(frame, { [name]: name })[0]?.values;
}
