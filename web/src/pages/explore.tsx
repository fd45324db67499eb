// Any PromQL expression as a chart and a table of the newest values. The address holds it.
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { search, setParam } from '../address/location.ts';
import { Panel, type PanelSpec } from '../chart/panel.tsx';
import { type Line, asIs, metricName, perSecond } from '../data/combine.ts';
import { fetchJson } from '../data/fetch_json.ts';
import type { Unit } from '../data/format.ts';
import type { Frame, LabelSet } from '../data/frame.ts';
import { latest } from '../data/rate.ts';
import { quoted } from '../data/selector.ts';
import { useFrames } from '../data/sources.ts';
import { PageHead } from '../shell/page_head.tsx';

const mostRows = 200;

export function seriesText(labels: LabelSet): string {
  const pairs = Object.entries(labels).filter(([name]) => name !== '__name__');
  const inner = pairs.map(([name, value]) => `${name}=${quoted(value)}`).join(', ');
  return metricName(labels) + (inner ? `{${inner}}` : '') || '{}';
}

// Counters end in _total by convention; what a plain one is per second is what one wants to see.
function isCounter(query: string): boolean {
  return /^[\w:]*_total(\{[^}]*\})?$/.test(query.trim());
}

function unitOf(query: string, asRate: boolean): Unit {
  if (/_bytes/.test(query)) return asRate ? 'bytes/s' : 'bytes';
  if (asRate) return 'per second';
  return /_seconds(\{|$)/.test(query) && !/time_seconds/.test(query) ? 'seconds' : 'number';
}

function specOf(query: string, asRate: boolean): PanelSpec {
  return {
    title: asRate ? 'Per second' : 'Values', unit: unitOf(query, asRate), queries: [query],
    empty: 'No series matches, or none has samples in the range. Check the name, the labels and the range.',
    lines: (frame: Frame): Line[] => frame.series.map(({ labels, values }) => ({
      label: seriesText(labels), values: (asRate ? perSecond : asIs)(values, frame.stepMs),
    })),
  };
}

function useMetricNames(): readonly string[] {
  const names = useSignal<readonly string[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    fetchJson('/api/v1/label/__name__/values', stop.signal)
      .then((body) => (names.value = (body as { data?: string[] }).data ?? []))
      .catch(() => {});  // completion is a convenience: without it one types the name
    return () => stop.abort();
  }, []);
  return names.value;
}

function SeriesTable({ query }: { readonly query: string }) {
  const frame = useFrames([query]).frames[0];
  if (!frame || frame.series.length === 0) return null;
  const rows = frame.series;
  return (
    <section class="panel panel-wide" aria-label="Series">
      <header class="panel-head"><h2>Series</h2>
        <span class="panel-hint">{rows.length > mostRows ? `first ${mostRows} of ${rows.length}` : rows.length}</span></header>
      <div class="table-box" tabIndex={0} role="region" aria-label="Series, scrollable">
        <table>
          <thead><tr><th scope="col">Series</th><th scope="col" class="number">Newest value</th></tr></thead>
          <tbody>
            {rows.slice(0, mostRows).map(({ ref, labels, values }) => (
              <tr key={ref}><th scope="row" class="code">{seriesText(labels)}</th>
                <td class="number">{String(latest(values)).replace('NaN', '–')}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

export function ExplorePage() {
  const query = search.value.get('q') ?? '';
  const typed = useSignal(query);
  useEffect(() => { typed.value = query; }, [query]);
  const names = useMetricNames();
  const as = search.value.get('as');
  const asRate = as === null ? isCounter(query) : as === 'rate';
  const spec = useMemo(() => specOf(query, asRate), [query, asRate]);
  const run = (event: Event) => {
    event.preventDefault();
    setParam('q', typed.value.trim());
  };
  return (
    <>
      <PageHead title="Explore" detail="anything that PromQL can say" />
      <form class="explore-form" onSubmit={run} role="search">
        <label class="visually-hidden" for="query">PromQL expression</label>
        <input id="query" class="explore-query code" list="metric-names" value={typed.value} spellcheck={false}
          autocomplete="off" autocapitalize="off" placeholder='node_load1, or sum by (mode) (rate(node_cpu_seconds_total[1m]))'
          onInput={(event) => (typed.value = event.currentTarget.value)} />
        <datalist id="metric-names">{names.map((name) => <option key={name} value={name} />)}</datalist>
        <label class="check"><input type="checkbox" checked={asRate}
          onChange={(event) => setParam('as', event.currentTarget.checked ? 'rate' : 'value', true)} />per second</label>
        <button type="submit" class="button button-main">Show</button>
      </form>
      {query === '' ? (
        <section class="panel panel-note panel-first">
          <h2>Nothing asked yet</h2>
          <p>Type the name of a metric, or any PromQL expression that has a value at each time, and press Enter. {names.length > 0 && `The server knows ${names.length} names.`}</p>
        </section>
      ) : (
        <div class="panels panels-single" key={`${query} ${asRate}`}>
          <Panel spec={spec} />
          <SeriesTable query={query} />
        </div>
      )}
    </>
  );
}
