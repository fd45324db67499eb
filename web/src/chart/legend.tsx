// The lines of a chart by name, with their value under the cross-hair, or the newest one.
import type { Signal } from '@preact/signals';
import type { Line } from '../data/combine.ts';
import { type Unit, formatValue } from '../data/format.ts';
import { latest } from '../data/rate.ts';
import { colourClass } from './palette.ts';

interface LegendProps {
  readonly lines: readonly Line[];
  readonly unit: Unit;
  readonly hover: Signal<number | null>;
}

export function valueAt(values: Float64Array, index: number | null): number {
  return index === null ? latest(values) : values[index] ?? NaN;
}

export function Legend({ lines, unit, hover }: LegendProps) {
  const index = hover.value;
  return (
    <ul class="legend">
      {lines.map((line, i) => (
        <li key={line.label}>
          <svg class={`swatch ${colourClass(i)}`} viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" rx="2.5" /></svg>
          <span class="legend-name">{line.label}</span>
          <span class="legend-value">{formatValue(valueAt(line.values, index), unit)}</span>
        </li>
      ))}
    </ul>
  );
}
