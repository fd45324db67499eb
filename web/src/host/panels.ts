// The charts of one host.
import type { PanelSpec } from '../chart/panel.tsx';
import { largest } from '../data/combine.ts';
import { anyOf, selector } from '../data/selector.ts';
import { cpuByCore, cpuByMode } from './cpu.ts';
import { busyMetric, diskBusy, diskThroughput, throughputMetrics } from './disk.ts';
import { gauges, loadNames, processNames } from './gauges.ts';
import { memoryMetrics, memoryStack, memoryTotal, swapUsed } from './memory.ts';
import { networkMetrics, networkTraffic } from './network.ts';
import { pressure, pressureMetrics } from './pressure.ts';

const absent = 'Widen the time range, or check that the collector on this host runs.';

// One query text per kind of figure, so that tiles and charts share subscriptions.
export function hostQueries(instance: string) {
  const host = { instance };
  return {
    cpu: selector('node_cpu_seconds_total', host),
    memory: anyOf(memoryMetrics, host),
    throughput: anyOf(throughputMetrics, host),
    busy: selector(busyMetric, host),
    network: anyOf(networkMetrics, host),
    load: anyOf(Object.keys(loadNames), host),
    pressure: anyOf(pressureMetrics, host),
    processes: anyOf(Object.keys(processNames), host),
  };
}

export function hostPanels(instance: string): PanelSpec[] {
  const query = hostQueries(instance);
  return [
    { title: 'CPU by mode', unit: 'percent', queries: [query.cpu], lines: cpuByMode, stack: true, max: 100,
      hint: 'of all cores', empty: absent },
    { title: 'CPU by core', unit: 'percent', queries: [query.cpu], lines: cpuByCore, max: 100, empty: absent },
    { title: 'Memory', hint: 'of all there is', unit: 'bytes', queries: [query.memory], lines: memoryStack, stack: true, empty: absent,
      max: (frame) => largest(memoryTotal(frame)) },
    { title: 'Load', unit: 'number', queries: [query.load], lines: (frame) => gauges(frame, loadNames),
      hint: 'tasks running or waiting', empty: absent },
    { title: 'Disk throughput', unit: 'bytes/s', queries: [query.throughput], lines: diskThroughput,
      empty: 'This host reports no disks; in a container it may see none.' },
    { title: 'Disk busy', unit: 'percent', queries: [query.busy], lines: diskBusy, max: 100,
      hint: 'time with I/O in flight', empty: 'This host reports no disks; in a container it may see none.' },
    { title: 'Network', unit: 'bytes/s', queries: [query.network], lines: networkTraffic,
      hint: 'without loopback', empty: absent },
    { title: 'Pressure', unit: 'percent', queries: [query.pressure], lines: pressure, hint: 'time work waited for',
      empty: 'The kernel gives pressure figures from 4.20 on; some need psi=1 on its command line.' },
    { title: 'Processes', unit: 'number', queries: [query.processes],
      lines: (frame) => gauges(frame, processNames), hint: 'on a core, or stuck in I/O', empty: absent },
    { title: 'Swap', unit: 'bytes', queries: [query.memory], lines: swapUsed,
      empty: 'This host has no swap, or nothing was reported in the range.' },
  ];
}
