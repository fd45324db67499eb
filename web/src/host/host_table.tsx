// All hosts with their newest figures; a row leads to its host.
import { addressOf, followLink, timeRange } from '../address/location.ts';
import { hostPath } from '../address/route.ts';
import { staleSeconds } from '../chart/staleness.ts';
import { formatAge, formatFixed, formatValue } from '../data/format.ts';
import type { Frame } from '../data/frame.ts';
import { latest } from '../data/rate.ts';
import { anyOf } from '../data/selector.ts';
import { useFrames } from '../data/sources.ts';
import { serverNowMs } from '../live/server_time.ts';
import { seconds } from '../shell/seconds.ts';
import { busyBy } from './cpu.ts';
import { fileSystemMetrics, fileSystems } from './file_systems.ts';
import { fleetQueries, loadBy } from './fleet_panels.ts';
import type { Host } from './hosts.ts';
import { memoryUsedBy } from './memory.ts';
import { trafficBy } from './network.ts';
import { Bar } from './tiles.tsx';

type ByHost = Map<string, number>;

function newestOf(frame: Frame | null | undefined, lines: (frame: Frame) => Map<string, Float64Array>): ByHost {
  return frame ? new Map([...lines(frame)].map(([host, values]) => [host, latest(values)])) : new Map();
}

function fullest(frame: Frame | null | undefined): ByHost {
  const most: ByHost = new Map();
  for (const { instance, usedRatio } of frame ? fileSystems(frame) : []) {
    most.set(instance, Math.max(most.get(instance) ?? 0, 100 * usedRatio));
  }
  return most;
}

function Share({ percent }: { readonly percent: number | undefined }) {
  if (percent === undefined || Number.isNaN(percent)) return <>–</>;
  return <span class="bar-cell"><Bar ratio={percent / 100} /><span>{formatValue(percent, 'percent')}</span></span>;
}

function HostState({ silentSeconds }: { readonly silentSeconds: number | null }) {
  if (silentSeconds === null) return <span class="badge badge-good">reporting</span>;
  return <span class="badge badge-warn">silent for {formatAge(silentSeconds)}</span>;
}

export function HostTableSkeleton() {
  return (
    <section class="panel panel-wide" aria-label="Hosts">
      <header class="panel-head"><h2>Hosts</h2></header>
      <div class="table-skeleton" role="status" aria-label="Loading hosts" />
    </section>
  );
}

export function HostTable({ hosts }: { readonly hosts: readonly Host[] }) {
  const queries = [...Object.values(fleetQueries), anyOf(fileSystemMetrics)];
  const [cpuFrame, memoryFrame, loadFrame, networkFrame, diskFrame] = useFrames(queries).frames;
  seconds.value;
  const cpu = newestOf(cpuFrame, (frame) => busyBy(frame, 'instance'));
  const memory = newestOf(memoryFrame, (frame) => memoryUsedBy(frame, 'instance'));
  const load = newestOf(loadFrame, loadBy);
  const traffic = newestOf(networkFrame, (frame) => trafficBy(frame, 'instance'));
  const disk = fullest(diskFrame);
  const silent = (instance: string) =>
    timeRange.value.kind === 'last' ? staleSeconds([loadFrame ?? null], serverNowMs(), instance) : null;
  return (
    <section class="panel panel-wide" aria-label="Hosts">
      <header class="panel-head"><h2>Hosts</h2><span class="panel-hint">{hosts.length}</span></header>
      <div class="table-box" tabIndex={0} role="region" aria-label="Hosts, scrollable">
        <table>
          <thead>
            <tr><th scope="col">Host</th><th scope="col" class="only-wide">State</th><th scope="col" class="bar-column">CPU</th>
              <th scope="col" class="bar-column">Memory</th><th scope="col" class="bar-column only-wide">Fullest disk</th>
              <th scope="col" class="number only-wide">Load</th><th scope="col" class="number only-wide">Network</th></tr>
          </thead>
          <tbody>
            {hosts.map(({ instance, name, system }) => (
              <tr key={instance}>
                <th scope="row"><a href={addressOf(hostPath(instance))} onClick={followLink}>{name}</a>
                  <span class="cell-detail">{system}</span></th>
                <td class="only-wide"><HostState silentSeconds={silent(instance)} /></td>
                <td class="bar-column"><Share percent={cpu.get(instance)} /></td>
                <td class="bar-column"><Share percent={memory.get(instance)} /></td>
                <td class="bar-column only-wide"><Share percent={disk.get(instance)} /></td>
                <td class="number only-wide">{formatFixed(load.get(instance) ?? NaN)}</td>
                <td class="number only-wide">{formatValue(traffic.get(instance) ?? NaN, 'bytes/s')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
