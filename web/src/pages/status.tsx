// This server: what it is, who asks, and what it says of itself at /metrics.
import { useSignal } from '@preact/signals';
import { fetchJson, fetchText } from '../data/fetch_json.ts';
import { formatAge, formatValue } from '../data/format.ts';
import { type MetricSample, parseMetricsText } from '../data/metrics_text.ts';
import { usePolled } from '../data/polled.ts';
import { type WhoAmI, whoAmI } from '../data/who_am_i.ts';
import { Tile } from '../host/tiles.tsx';
import { serverNowMs } from '../live/server_time.ts';
import { PageHead } from '../shell/page_head.tsx';
import { seconds } from '../shell/seconds.ts';
import { seriesText } from './explore.tsx';

interface Version {
  readonly version?: string;
  readonly revision?: string;
  readonly build_date?: string;
}

const mostRows = 300;

const askVersion = async () => (await fetchJson('/version')) as Version;
const askMetrics = async () => parseMetricsText(await fetchText('/metrics'));

function figure(samples: readonly MetricSample[], name: string): number {
  const found = samples.filter((sample) => sample.name === name);
  return found.length === 0 ? NaN : found.reduce((sum, sample) => sum + sample.value, 0);
}

function Facts({ version, who }: { version: Version | null; who: WhoAmI | null }) {
  const rows: [string, string | undefined][] = [
    ['Version', version?.version], ['Revision', version?.revision], ['Built', version?.build_date],
    ['Signed in as', who?.open ? 'nobody: no key exists yet' : who?.name],
    ['Role', who?.role],
  ];
  return (
    <div class="facts">
      <dl>{rows.map(([name, value]) => value && <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      {who && !who.open && <form method="post" action="/logout"><button type="submit" class="button">Sign out</button></form>}
    </div>
  );
}

function MetricTable({ samples }: { readonly samples: readonly MetricSample[] }) {
  const filter = useSignal('');
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = samples
    .filter((sample) => !sample.name.endsWith('_bucket'))
    .map((sample) => ({ text: seriesText({ __name__: sample.name, ...sample.labels }), value: sample.value }))
    .filter(({ text }) => words.every((word) => text.toLowerCase().includes(word)));
  return (
    <section class="panel panel-wide" aria-label="Own metrics">
      <header class="panel-head"><h2>Own metrics</h2>
        <span class="panel-hint">{rows.length > mostRows ? `first ${mostRows} of ${rows.length}` : rows.length}</span>
        <input class="panel-filter" type="search" placeholder="Filter" aria-label="Filter metrics" value={filter.value}
          onInput={(event) => (filter.value = event.currentTarget.value)} /></header>
      <div class="table-box" tabIndex={0} role="region" aria-label="Own metrics, scrollable">
        <table>
          <thead><tr><th scope="col">Metric</th><th scope="col" class="number">Value</th></tr></thead>
          <tbody>
            {rows.slice(0, mostRows).map(({ text, value }) => (
              <tr key={text}><th scope="row" class="code">{text}</th><td class="number">{String(value)}</td></tr>
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p class="panel-note">No metric has these words in it.</p>}
      </div>
    </section>
  );
}

export function StatusPage() {
  const version = usePolled(askVersion);
  const who = usePolled(whoAmI);
  const metrics = usePolled(askMetrics);
  seconds.value;
  const own = metrics.value ?? [];
  const running = serverNowMs() / 1000 - figure(own, 'process_start_time_seconds');
  const error = version.error ?? metrics.error ?? who.error;
  return (
    <>
      <PageHead title="Status" detail="this server" />
      {error !== null && <p class="banner banner-bad" role="alert">{error}</p>}
      <dl class="tiles">
        <Tile name="Up for" value={formatAge(running)} detail="this process" />
        <Tile name="Memory" value={formatValue(figure(own, 'process_resident_memory_bytes'), 'bytes')} detail="resident" />
        <Tile name="CPU time" value={formatAge(figure(own, 'process_cpu_seconds_total'))} detail="since start" />
        <Tile name="Open files" value={formatValue(figure(own, 'process_open_fds'), 'number')}
          detail={`of ${formatValue(figure(own, 'process_max_fds'), 'number')}`} />
        <Tile name="Series" value={formatValue(figure(own, 'binnacle_store_series'), 'number')} detail="in the store" />
        <Tile name="Samples" value={formatValue(figure(own, 'binnacle_store_samples_total'), 'number')} detail="taken in since start" />
      </dl>
      <div class="panels">
        <section class="panel panel-wide" aria-label="Version and access"><Facts version={version.value} who={who.value} /></section>
        <MetricTable samples={own} />
      </div>
    </>
  );
}
