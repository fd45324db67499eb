// When a live chart no longer speaks of the present.
import type { Frame } from '../data/frame.ts';
import { gapLimit } from '../data/rate.ts';

const shortestMs = 10_000;

// Seconds since the newest sample (of one instance, where it is named) when that is too long ago for
// how often they come, else null.
export function staleSeconds(
  frames: readonly (Frame | null)[], nowMs: number, instance?: string,
): number | null {
  let newest: number | null = null;
  let limit = shortestMs;
  for (const frame of frames) {
    const last = frame?.lastSampleMs(instance) ?? null;
    if (!frame || last === null) continue;
    newest = Math.max(newest ?? last, last);
    const usual = frame.series[0] ? gapLimit(frame.series[0].values) : 0;
    limit = Math.max(limit, (usual + 1) * frame.stepMs);
  }
  if (newest === null || nowMs - newest <= limit) return null;
  return Math.round((nowMs - newest) / 1000);
}
