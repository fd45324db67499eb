// Where an axis may put its ticks, and how wide its labels get.
import { type Unit, formatTick } from '../data/format.ts';

const binaryIncrements: number[] = [];
for (let power = 0; power <= 5; power++) {
  for (const step of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]) binaryIncrements.push(step * 1024 ** power);
}
const decimalIncrements: number[] = [];
for (let power = -6; power <= 15; power++) {
  for (const step of [1, 2, 5]) decimalIncrements.push(Number((step * 10 ** power).toPrecision(3)));
}

export function increments(unit: Unit): number[] {
  return unit === 'bytes' || unit === 'bytes/s' ? binaryIncrements : decimalIncrements;
}

export function tickLabels(unit: Unit, ticks: readonly number[]): string[] {
  return ticks.map((tick) => formatTick(tick, unit));
}

const hour = 3600;
export const timeIncrements = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, 24 * hour,
  48 * hour, 7 * 24 * hour, 28 * 24 * hour,
];

const seconds = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const minutes = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

// Ticks of a time axis in Unix seconds, as finely as they differ. Midnight is told by its day.
export function timeLabels(ticks: readonly number[], stepSeconds: number): string[] {
  return ticks.map((tick) => {
    const at = new Date(tick * 1000);
    if (at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0) return days.format(at);
    return (stepSeconds < 60 ? seconds : minutes).format(at);
  });
}

// The y range of lines whose largest value is `max`: from zero, never flat, with a little air above.
export function yRange(max: number | null, fixedMax: number | null, unit: Unit): [number, number] {
  if (fixedMax !== null) return [0, fixedMax];
  const floor = { percent: 1, bytes: 1024, 'bytes/s': 1024, seconds: 1e-3, number: 1, 'per second': 1 }[unit];
  return [0, Math.max(floor, (max ?? 0) * 1.08)];
}
