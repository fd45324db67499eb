// Samples of one query on an even time grid: one array per series, all of the same length, NaN where there is
// no sample. A live frame keeps its length and slides forward; a past one never changes.
export type LabelSet = Readonly<Record<string, string>>;
export type WireValue = number | string | null;

export interface Series {
  readonly ref: number;
  readonly labels: LabelSet;
  readonly values: Float64Array;
}

export interface WireSeries {
  readonly ref: number;
  readonly metric: LabelSet;
}

export function parseValue(value: WireValue | undefined): number {
  if (typeof value === 'number') return value;
  if (value === '+Inf' || value === 'Inf') return Infinity;
  if (value === '-Inf') return -Infinity;
  return typeof value === 'string' ? Number(value) : NaN;
}

export class Frame {
  readonly length: number;
  private readonly known = new Map<number, WireSeries>();
  private readonly byRef = new Map<number, Series>();
  private readonly lastSeen = new Map<number, number>();

  constructor(readonly stepMs: number, private end: number, windowMs: number) {
    this.length = Math.floor(windowMs / stepMs) + 1;
  }

  get endMs(): number { return this.end; }
  get startMs(): number { return this.end - (this.length - 1) * this.stepMs; }
  get series(): Series[] { return [...this.byRef.values()]; }
  timeMs(index: number): number { return this.startMs + index * this.stepMs; }

  // The newest sample of any series, or of those of one instance; null when there is none.
  lastSampleMs(instance?: string): number | null {
    let newest: number | null = null;
    for (const [ref, seen] of this.lastSeen) {
      if (instance !== undefined && this.known.get(ref)?.metric['instance'] !== instance) continue;
      if (newest === null || seen > newest) newest = seen;
    }
    return newest;
  }

  // `values[i]` belongs to startMs + i * stepMs; what lies outside the window is left out.
  add(series: WireSeries, startMs: number, values: readonly (WireValue | undefined)[]): void {
    this.known.set(series.ref, { ref: series.ref, metric: series.metric });
    const target = new Float64Array(this.length).fill(NaN);
    const offset = Math.round((startMs - this.startMs) / this.stepMs);
    for (let i = Math.max(0, -offset); i < values.length && i + offset < this.length; i++) {
      const value = parseValue(values[i]);
      target[i + offset] = value;
      if (!Number.isNaN(value)) this.lastSeen.set(series.ref, this.timeMs(i + offset));
    }
    this.byRef.set(series.ref, { ref: series.ref, labels: series.metric, values: target });
  }

  // One more step of a live query; `values` is indexed by ref. Steps that never came stay empty. A step from
  // before the window's end is dropped: a snapshot has it already.
  append(timeMs: number, added: readonly WireSeries[], values: readonly WireValue[]): void {
    const steps = Math.round((timeMs - this.end) / this.stepMs);
    if (steps < 0) return;
    for (const series of added) this.known.set(series.ref, series);
    this.slide(steps);
    for (let ref = 0; ref < values.length; ref++) {
      const value = parseValue(values[ref]);
      if (Number.isNaN(value)) continue;
      const series = this.byRef.get(ref) ?? this.wake(ref);
      if (!series) continue;
      series.values[this.length - 1] = value;
      this.lastSeen.set(ref, this.end);
    }
  }

  private slide(steps: number): void {
    if (steps === 0) return;
    this.end += steps * this.stepMs;
    for (const [ref, { values }] of this.byRef) {
      values.copyWithin(0, Math.min(steps, this.length));
      values.fill(NaN, Math.max(0, this.length - steps));
      if ((this.lastSeen.get(ref) ?? 0) < this.startMs) this.byRef.delete(ref);
    }
  }

  // A series of which nothing was left in the window is gone from view; the server may go on with its ref.
  private wake(ref: number): Series | null {
    const known = this.known.get(ref);
    if (!known) return null;
    this.add(known, this.end, []);
    return this.byRef.get(ref) ?? null;
  }
}
