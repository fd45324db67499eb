// A uPlot chart kept alive across updates: data and window change in place, the plot is made anew only when
// its lines, its unit or the colours change. Drag selects a time range; the cross-hair is shared by all charts.
import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { Line } from '../data/combine.ts';
import type { Unit } from '../data/format.ts';
import { colourScheme } from '../shell/colour_scheme.ts';
import { type ChartColours, readColours } from './palette.ts';
import { type Column, drawable, stacked } from './stack.ts';
import { increments, tickLabels, timeIncrements, timeLabels, yRange } from './ticks.ts';

export interface ChartProps {
  readonly lines: readonly Line[];
  readonly startMs: number;
  readonly stepMs: number;
  readonly unit: Unit;
  readonly stack: boolean;
  readonly max: number | null;  // fixed top of the y axis; null: by the data
  readonly onHover: (index: number | null) => void;
  readonly onSelect: (fromMs: number, toMs: number) => void;
}

const crossHair = uPlot.sync('page');

function seriesOf(props: ChartProps, colours: ChartColours): uPlot.Series[] {
  return props.lines.map((line, i) => {
    const colour = colours.lines[i % colours.lines.length] as string;
    return {
      label: line.label, stroke: colour, width: props.stack ? 1 : 1.5, points: { show: false },
      ...(props.stack ? { fill: `${colour}b0` } : {}),
      ...(props.lines.length === 1 && !props.stack ? { fill: `${colour}22` } : {}),
    };
  });
}

function optionsOf(element: HTMLElement, current: { props: ChartProps }): uPlot.Options {
  const { props } = current;
  const colours = readColours();
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  const axis = { stroke: colours.axis, font, ticks: { show: false }, grid: { stroke: colours.grid, width: 1 } };
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    legend: { show: false },
    padding: [8, 18, 0, 0],
    cursor: {
      sync: { key: crossHair.key }, y: false, points: { size: 6 },
      drag: { x: true, y: false, setScale: false, dist: 8 },
    },
    scales: { x: { time: true }, y: { range: (_, __, max) => yRange(max, current.props.max, props.unit) } },
    axes: [
      { ...axis, size: 26, space: 76, grid: { show: false }, incrs: timeIncrements,
        values: (_, ticks, __, ___, step) => timeLabels(ticks, step) },
      { ...axis, size: 62, space: 26, gap: 4, incrs: increments(props.unit),
        values: (_, ticks) => tickLabels(props.unit, ticks) },
    ],
    series: [{}, ...seriesOf(props, colours)],
    bands: props.stack ? props.lines.slice(1).map((_, i) => ({ series: [i + 2, i + 1] as [number, number] })) : [],
    hooks: {
      setCursor: [(plot) => current.props.onHover(plot.cursor.idx ?? null)],
      setSelect: [(plot) => {
        const { left, width } = plot.select;
        if (width <= 0) return;
        const [from, to] = [plot.posToVal(left, 'x') * 1000, plot.posToVal(left + width, 'x') * 1000];
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        current.props.onSelect(from, to);
      }],
    },
  };
}

function dataOf(props: ChartProps): [number[], ...Column[]] {
  const length = props.lines[0]?.values.length ?? 0;
  const times = Array.from({ length }, (_, i) => (props.startMs + i * props.stepMs) / 1000);
  const values = props.lines.map((line) => line.values);
  return [times, ...(props.stack ? stacked(values) : values.map(drawable))];
}

function draw(plot: uPlot, props: ChartProps): void {
  const data = dataOf(props);
  const [times] = data;
  plot.batch(() => {
    plot.setData(data as uPlot.AlignedData, false);
    if (times.length > 1) plot.setScale('x', { min: times[0] as number, max: times[times.length - 1] as number });
  });
}

export function Chart(props: ChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const current = useRef({ props });
  current.current.props = props;

  const shape = [props.unit, props.stack, ...props.lines.map((line) => line.label)].join('\n');
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const made = new uPlot(optionsOf(element, current.current), dataOf(current.current.props) as uPlot.AlignedData, element);
    plot.current = made;
    draw(made, current.current.props);
    performance.mark('chart-drawn');
    const resize = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: element.clientHeight });
    });
    resize.observe(element);
    return () => {
      resize.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, colourScheme.value]);

  useEffect(() => {
    if (plot.current) draw(plot.current, props);
  }, [props.lines]);

  return <div class="chart" ref={holder} />;
}
