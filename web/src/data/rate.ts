// What sampled values mean between their samples. A source may be collected less often than the grid's step,
// so a few empty steps between two samples are no gap; many are.

// How many steps may lie between two samples before the line breaks: three times the usual distance. One sample
// alone tells no distance, so it holds.
export function gapLimit(values: Float64Array): number {
  const distances: number[] = [];
  let previous = -1;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    if (previous >= 0) distances.push(i - previous);
    previous = i;
  }
  if (distances.length === 0) return values.length;
  distances.sort((a, b) => a - b);
  return 3 * Math.max(1, distances[distances.length >> 1] as number);
}

// The rise per second of a counter. A counter that fell was reset to zero in between, so what it shows now is
// what it rose by. The rate of an interval stands at each of its steps, the last sample's included.
export function rate(values: Float64Array, stepMs: number): Float64Array {
  const limit = gapLimit(values);
  const result = new Float64Array(values.length).fill(NaN);
  let previous = -1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value)) continue;
    if (previous >= 0 && i - previous <= limit) {
      const before = values[previous] as number;
      const rise = value < before ? value : value - before;
      result.fill((rise * 1000) / ((i - previous) * stepMs), previous + 1, i + 1);
    }
    previous = i;
  }
  return result;
}

// A gauge keeps its value until the next sample, across distances that are usual for it.
export function hold(values: Float64Array): Float64Array {
  const limit = gapLimit(values);
  const result = Float64Array.from(values);
  let previous = -1;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    if (previous >= 0 && i - previous <= limit) result.fill(values[previous] as number, previous + 1, i);
    previous = i;
  }
  return result;
}

// The newest value, unless it is too old to speak of the present.
export function latest(values: Float64Array): number {
  const oldest = Math.max(0, values.length - 1 - gapLimit(values));
  for (let i = values.length - 1; i >= oldest; i--) {
    const value = values[i] as number;
    if (!Number.isNaN(value)) return value;
  }
  return NaN;
}
