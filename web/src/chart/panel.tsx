// A chart with its title, legend and states: loading, empty, failed, stale. It subscribes while it is in view.
import { useSignal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import { setTimeRange, timeRange } from '../address/location.ts';
import { between } from '../address/range.ts';
import type { Line } from '../data/combine.ts';
import { type Unit, formatAge, formatValue } from '../data/format.ts';
import type { Frame } from '../data/frame.ts';
import { latest } from '../data/rate.ts';
import { useFrames } from '../data/sources.ts';
import { serverNowMs } from '../live/server_time.ts';
import { seconds } from '../shell/seconds.ts';
import { Chart } from './chart.tsx';
import { useInView } from './in_view.ts';
import { Legend } from './legend.tsx';
import { staleSeconds } from './staleness.ts';

export interface PanelSpec {
  readonly title: string;
  readonly hint?: string;  // what the figures mean, beside the title
  readonly unit: Unit;
  readonly queries: readonly string[];
  readonly lines: (...frames: Frame[]) => Line[];
  readonly stack?: boolean;
  readonly max?: number | ((...frames: Frame[]) => number | null);
  readonly empty: string;  // why there may be nothing, and what to do
}

// More lines than this cannot be told apart, and each costs drawing time.
const mostLines = 128;

function selectRange(fromMs: number, toMs: number): void {
  const range = between(fromMs, toMs);
  if (range) setTimeRange(range);
}

// A spoken summary: what a reader of the chart would see at its right edge.
function summaryOf(title: string, lines: readonly Line[], unit: Unit): string {
  const values = lines.slice(0, 6).map((line) => `${line.label} ${formatValue(latest(line.values), unit)}`);
  return `${title}: ${values.join(', ')}`;
}

export function Panel({ spec }: { readonly spec: PanelSpec }) {
  const element = useRef<HTMLElement>(null);
  const inView = useInView(element);
  const hover = useSignal<number | null>(null);
  const { frames, version, error, ready } = useFrames(spec.queries, inView);
  const all = useMemo(() => (ready ? spec.lines(...(frames as Frame[])) : []), [version, ready, spec]);
  const lines = useMemo(() => all.slice(0, mostLines), [all]);
  seconds.value;
  const stale = ready && timeRange.value.kind === 'last' ? staleSeconds(frames, serverNowMs()) : null;
  const first = frames[0];
  const max = typeof spec.max === 'function' && ready ? spec.max(...(frames as Frame[])) : spec.max;

  return (
    <section class={`panel${stale !== null ? ' panel-stale' : ''}`} ref={element} aria-label={spec.title}>
      <header class="panel-head">
        <h2>{spec.title}</h2>
        {spec.hint && <span class="panel-hint">{spec.hint}</span>}
        {stale !== null && <span class="badge badge-warn">last sample {formatAge(stale)} ago</span>}
        {all.length > mostLines && <span class="badge">{mostLines} of {all.length} lines</span>}
      </header>
      {error !== null ? (
        <div class="panel-note panel-error" role="alert"><strong>This query failed.</strong> {error}</div>
      ) : !ready || !first ? (
        <div class="chart chart-skeleton" role="status" aria-label={`Loading ${spec.title}`} />
      ) : lines.length === 0 ? (
        <div class="panel-note"><strong>No data in this range.</strong> {spec.empty}</div>
      ) : (
        <div class="chart-box" role="img" aria-label={summaryOf(spec.title, lines, spec.unit)}>
          <Chart
            lines={lines} startMs={first.startMs} stepMs={first.stepMs} unit={spec.unit}
            stack={spec.stack ?? false} max={typeof max === 'number' ? max : null}
            onHover={(index) => (hover.value = index)} onSelect={selectRange}
          />
        </div>
      )}
      {ready && error === null && lines.length > 0 && <Legend lines={lines} unit={spec.unit} hover={hover} />}
    </section>
  );
}
