// The data of a component: frames of its queries over the page's time range, live or past, held only while
// the component is in view.
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { timeRange } from '../address/location.ts';
import { type TimeRange, rangeKey, rangeLengthMs, stepFor } from '../address/range.ts';
import type { LiveHub, Source } from '../live/hub.ts';
import { hub } from '../live/start.ts';
import type { Frame } from './frame.ts';
import { pastSource } from './past.ts';

// More points than a chart has columns would not be seen; a phone's charts are narrower.
const maxPoints = signal(Math.min(innerWidth, screen.width) < 700 ? 450 : 900);

export interface Frames {
  readonly frames: readonly (Frame | null)[];
  readonly version: number;  // changes whenever one of the frames does
  readonly error: string | null;
  readonly ready: boolean;
}

function acquire(from: LiveHub, query: string, range: TimeRange): Source {
  const step = stepFor(rangeLengthMs(range), maxPoints.peek());
  if (range.kind === 'last') return from.acquire(query, range.ms, step);
  return pastSource(query, range.fromMs, range.toMs, step);
}

export function useFrames(queries: readonly string[], visible = true, fixedRange?: TimeRange): Frames {
  const range = fixedRange ?? timeRange.value;
  const [sources, setSources] = useState<readonly Source[]>([]);
  useEffect(() => {
    if (!visible) return;
    const held = queries.map((query) => acquire(hub, query, range));
    setSources(held);
    return () => held.forEach((source) => hub.release(source));
  }, [queries.join('\n'), rangeKey(range), visible]);

  let version = 0;
  let error: string | null = null;
  for (const source of sources) {
    version += source.version.value;
    error ??= source.error.value;
  }
  const frames = sources.map((source) => source.frame);
  return { frames, version, error, ready: frames.length > 0 && frames.every((frame) => frame !== null) };
}
