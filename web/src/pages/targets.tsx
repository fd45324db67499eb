// What the server watches: the nodes whose agents keep a link, and the targets that it scrapes.
import { useSignal } from '@preact/signals';
import { search, setParam } from '../address/location.ts';
import { formatAge, formatValue } from '../data/format.ts';
import type { LabelSet } from '../data/frame.ts';
import { type Node, askNodes } from '../data/nodes.ts';
import { usePolled } from '../data/polled.ts';
import { type Health, type Pool, type Target, askPools, fits } from '../data/targets.ts';
import { serverNowMs } from '../live/server_time.ts';
import { PageHead } from '../shell/page_head.tsx';
import { seconds } from '../shell/seconds.ts';
import { seriesText } from './explore.tsx';

const mostRows = 300;

const toneOf: Record<Health, string> = { up: 'badge-good', down: 'badge-bad', unknown: 'badge-warn' };

function ageOf(timeMs: number | null): string {
  return timeMs === null ? 'never' : `${formatAge(Math.max(0, (serverNowMs() - timeMs) / 1000))} ago`;
}

function Labels({ labels }: { readonly labels: LabelSet }) {
  return <span class="cell-detail code">{seriesText(labels)}</span>;
}

function TargetRow({ target }: { readonly target: Target }) {
  const open = useSignal(false);
  return (
    <tr>
      <th scope="row">
        <button type="button" class="row-toggle code" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>{target.url}</button>
        <Labels labels={target.labels} />
        {target.lastError !== '' && <span class="cell-detail cell-bad">{target.lastError}</span>}
        {open.value && <dl class="discovered">{Object.entries(target.discovered).map(([name, value]) => (
          <div key={name}><dt class="code">{name}</dt><dd class="code">{value}</dd></div>))}</dl>}
      </th>
      <td><span class={`badge ${toneOf[target.health]}`}>{target.health}</span></td>
      <td class="number only-wide">{ageOf(target.lastScrapeMs)}</td>
      <td class="number only-wide">{formatValue(target.lastDurationSeconds, 'seconds')}</td>
    </tr>
  );
}

function PoolPanel({ pool, words }: { readonly pool: Pool; readonly words: readonly string[] }) {
  const rows = pool.targets.filter((target) => fits(target, words));
  if (rows.length === 0 && words.length > 0) return null;
  const dropped = pool.dropped > 0 ? `, ${pool.dropped} dropped by relabelling` : '';
  return (
    <section class="panel panel-wide" aria-label={`Targets of ${pool.name}`}>
      <header class="panel-head"><h2>{pool.name}</h2>
        <span class="panel-hint">{`${pool.up} of ${pool.targets.length} up${dropped}`}{rows.length > mostRows && `, first ${mostRows} of ${rows.length}`}</span></header>
      <div class="table-box" tabIndex={0} role="region" aria-label={`Targets of ${pool.name}, scrollable`}>
        <table>
          <thead><tr><th scope="col">Target</th><th scope="col">State</th><th scope="col" class="number only-wide">Last scrape</th>
            <th scope="col" class="number only-wide">Took</th></tr></thead>
          <tbody>{rows.slice(0, mostRows).map((target) => <TargetRow key={seriesText(target.discovered)} target={target} />)}</tbody>
        </table>
        {rows.length === 0 && <p class="panel-note">{pool.dropped > 0 ? 'Relabelling has dropped every target of this job.' : 'Discovery has found no target for this job.'}</p>}
      </div>
    </section>
  );
}

function stateTone(state: string): string {
  return state === 'up' ? 'badge-good' : state === 'down' ? 'badge-bad' : 'badge-warn';
}

function inSeconds(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : formatValue(value, 'seconds');
}

function NodePanel({ nodes }: { readonly nodes: readonly Node[] }) {
  return (
    <section class="panel panel-wide" aria-label="Nodes">
      <header class="panel-head"><h2>Nodes</h2><span class="panel-hint">{nodes.length} with an agent</span></header>
      <div class="table-box" tabIndex={0} role="region" aria-label="Nodes, scrollable">
        <table>
          <thead><tr><th scope="col">Node</th><th scope="col">State</th><th scope="col" class="only-wide">Role</th>
            <th scope="col" class="number only-wide">Round trip</th><th scope="col" class="number only-wide">Clock offset</th></tr></thead>
          <tbody>{nodes.slice(0, mostRows).map((node) => (
            <tr key={node.id}>
              <th scope="row">{node.name}<span class="cell-detail">{[node.cluster, node.address, node.version].filter(Boolean).join(' · ')}</span></th>
              <td><span class={`badge ${stateTone(node.state)}`}>{node.state}</span><span class="cell-detail">{ageOf(Date.parse(node.since)).replace(' ago', '')}</span></td>
              <td class="only-wide">{node.role || '–'}</td>
              <td class="number only-wide">{inSeconds(node.round_trip_seconds)}</td>
              <td class="number only-wide">{inSeconds(node.clock_offset_seconds)}</td>
            </tr>))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function NothingYet() {
  return (
    <section class="panel panel-note panel-first">
      <h2>Nothing is watched yet but this machine</h2>
      <p>Run <code>binnacle agent --server {location.origin}</code> on a node, or start the server with <code>--prometheus-config prometheus.yml</code> to scrape what Prometheus scrapes.</p>
    </section>
  );
}

export function TargetsPage() {
  const pools = usePolled(askPools);
  const nodes = usePolled(askNodes);
  const filter = search.value.get('filter') ?? '';
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  seconds.value;
  const error = pools.error ?? nodes.error;
  const empty = pools.value?.length === 0 && nodes.value?.length === 0;
  return (
    <>
      <PageHead title="Targets" detail="nodes and what is scraped">
        {!empty && <input class="panel-filter" type="search" placeholder="Filter" aria-label="Filter targets" value={filter}
          onInput={(event) => setParam('filter', event.currentTarget.value, true)} />}
      </PageHead>
      {error !== null && <p class="banner banner-bad" role="alert">{error}</p>}
      {empty && <NothingYet />}
      <div class="panels">
        {nodes.value !== null && nodes.value.length > 0 && <NodePanel nodes={nodes.value} />}
        {pools.value?.map((pool) => <PoolPanel key={pool.name} pool={pool} words={words} />)}
      </div>
    </>
  );
}
