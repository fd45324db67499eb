// From series to the lines of a chart: pick, group, add up. NaN means "no sample" and is no part of a sum.
import type { Frame, LabelSet, Series } from './frame.ts';
import { hold, rate } from './rate.ts';

export interface Line {
  readonly label: string;
  readonly values: Float64Array;
}

export type Sampled = (values: Float64Array, stepMs: number) => Float64Array;
export const perSecond: Sampled = rate;
export const asIs: Sampled = (values) => hold(values);

export function metricName(labels: LabelSet): string {
  return labels['__name__'] ?? '';
}

export function named(frame: Frame, name: string): Series[] {
  return frame.series.filter((series) => metricName(series.labels) === name);
}

export function addInto(target: Float64Array, values: Float64Array): void {
  for (let i = 0; i < target.length; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value)) continue;
    const sum = target[i] as number;
    target[i] = Number.isNaN(sum) ? value : sum + value;
  }
}

// Sums of the sampled series by the group that `groupOf` names; null leaves a series out.
export function sumBy(
  series: readonly Series[], stepMs: number, sampled: Sampled, groupOf: (labels: LabelSet) => string | null,
): Map<string, Float64Array> {
  const sums = new Map<string, Float64Array>();
  for (const { labels, values } of series) {
    const group = groupOf(labels);
    if (group === null) continue;
    const line = sampled(values, stepMs);
    const sum = sums.get(group);
    if (sum) addInto(sum, line);
    else sums.set(group, line);
  }
  return sums;
}

export function mapValues(values: Float64Array, change: (value: number) => number): Float64Array {
  return values.map((value) => change(value));
}

export function combine(
  a: Float64Array, b: Float64Array, join: (a: number, b: number) => number,
): Float64Array {
  return a.map((value, i) => join(value, b[i] as number));
}

export function largest(values: Float64Array | undefined): number | null {
  let most: number | null = null;
  for (const value of values ?? []) if (Number.isFinite(value) && (most === null || value > most)) most = value;
  return most;
}

// Names that hold numbers sort by them: cpu2 before cpu10.
const natural = new Intl.Collator('en', { numeric: true });

export function linesOf(sums: Map<string, Float64Array>): Line[] {
  return [...sums]
    .sort(([a], [b]) => natural.compare(a, b))
    .map(([label, values]) => ({ label, values }));
}
