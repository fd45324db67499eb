// The figures of a host that answer "is it all right?" at a glance.
import { timeRange } from '../address/location.ts';
import { formatAge, formatFixed, formatValue } from '../data/format.ts';
import type { Frame } from '../data/frame.ts';
import { latest } from '../data/rate.ts';
import { anyOf } from '../data/selector.ts';
import { useFrames } from '../data/sources.ts';
import { busyBy, coreCount } from './cpu.ts';
import { gauge } from './gauges.ts';
import { memoryTotal, memoryUsedBy } from './memory.ts';
import { networkTraffic } from './network.ts';
import { hostQueries } from './panels.ts';

interface TileProps {
  readonly name: string;
  readonly value: string;
  readonly detail?: string;
  readonly ratio?: number;
}

export function Bar({ ratio }: { readonly ratio: number }) {
  const level = ratio > 0.95 ? 'bad' : ratio > 0.85 ? 'warn' : 'good';
  const width = `${Math.min(100, Math.max(0, 100 * ratio)).toFixed(1)}%`;
  return (
    <svg class={`bar bar-${level}`} aria-hidden="true">
      <rect class="bar-back" width="100%" height="100%" />
      <rect class="bar-fill" width={width} height="100%" />
    </svg>
  );
}

export function Tile({ name, value, detail, ratio }: TileProps) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        <span class="tile-value">{value}</span>
        <span class="tile-detail">{detail}</span>
        {ratio !== undefined && !Number.isNaN(ratio) && <Bar ratio={ratio} />}
      </dd>
    </div>
  );
}

export const factMetrics = [
  'node_boot_time_seconds', 'node_filefd_allocated', 'node_filefd_maximum', 'node_processes_pids',
];

const newest = (values: Float64Array | undefined) => (values ? latest(values) : NaN);

function cpuTile(frame: Frame) {
  const used = newest([...busyBy(frame, 'instance').values()][0]);
  const cores = coreCount(frame);
  return <Tile name="CPU" value={formatValue(used, 'percent')} ratio={used / 100}
    detail={`${cores} ${cores === 1 ? 'core' : 'cores'}`} />;
}

function memoryTile(frame: Frame) {
  const used = newest([...memoryUsedBy(frame, 'instance').values()][0]);
  const total = newest(memoryTotal(frame));
  return <Tile name="Memory" value={formatValue(used, 'percent')} ratio={used / 100}
    detail={Number.isNaN(total) ? '' : `of ${formatValue(total, 'bytes')}`} />;
}

function loadTile(frame: Frame) {
  const [one, five, fifteen] = ['1', '5', '15'].map((m) => formatFixed(newest(gauge(frame, `node_load${m}`))));
  return <Tile name="Load" value={one as string} detail={`5 m ${five} · 15 m ${fifteen}`} />;
}

function networkTile(frame: Frame) {
  const [received, sent] = networkTraffic(frame).map((line) => newest(line.values));
  return <Tile name="Network" value={formatValue(received ?? NaN, 'bytes/s')}
    detail={`in, ${formatValue(sent ?? NaN, 'bytes/s')} out`} />;
}

function factTiles(frame: Frame) {
  const [boot, open, most, pids] = factMetrics.map((name) => newest(gauge(frame, name)));
  const processes = Number.isNaN(pids) ? '' : `${formatValue(pids as number, 'number')} processes`;
  return [
    <Tile key="uptime" name="Uptime" value={formatAge(frame.endMs / 1000 - (boot as number))} detail={processes} />,
    <Tile key="files" name="Open files" value={formatValue(open as number, 'number')}
      detail={(most as number) < 1e12 ? `of ${formatValue(most as number, 'number')}` : ''} />,
  ];
}

export function HostTiles({ instance }: { readonly instance: string }) {
  const query = hostQueries(instance);
  const queries = [query.cpu, query.memory, query.load, query.network, anyOf(factMetrics, { instance })];
  const { frames } = useFrames(queries);
  const [cpu, memory, load, network, facts] = frames;
  const waiting = (name: string) => <Tile name={name} value="–" />;
  return (
    <dl class="tiles" aria-label={timeRange.value.kind === 'last' ? 'Now' : 'At the end of the range'}>
      {cpu ? cpuTile(cpu) : waiting('CPU')}
      {memory ? memoryTile(memory) : waiting('Memory')}
      {load ? loadTile(load) : waiting('Load')}
      {network ? networkTile(network) : waiting('Network')}
      {facts ? factTiles(facts) : [waiting('Uptime'), waiting('Open files')]}
    </dl>
  );
}
