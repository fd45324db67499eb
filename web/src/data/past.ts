// A fixed range, asked for once by /api/v1/query_range and shared by all charts that show it.
import { signal } from '@preact/signals';
import type { Source } from '../live/hub.ts';
import { fetchJson } from './fetch_json.ts';
import { Frame, type LabelSet } from './frame.ts';

interface MatrixSeries {
  readonly metric: LabelSet;
  readonly values: readonly (readonly [number, string])[];
}

export function frameOfMatrix(body: unknown, fromMs: number, toMs: number, stepMs: number): Frame {
  const data = (body as { data?: { resultType?: string; result?: MatrixSeries[] } }).data;
  if (data?.resultType !== 'matrix' || !data.result) throw new Error('The server sent no range of values.');
  const steps = Math.floor((toMs - fromMs) / stepMs);
  const frame = new Frame(stepMs, fromMs + steps * stepMs, steps * stepMs);
  data.result.forEach((series, ref) => {
    const values: string[] = [];
    for (const [seconds, value] of series.values) {
      values[Math.round((seconds * 1000 - fromMs) / stepMs)] = value;
    }
    frame.add({ ref, metric: series.metric }, fromMs, values);
  });
  return frame;
}

const keptAnswers = 64;
const answers = new Map<string, Source>();

export function pastSource(query: string, fromMs: number, toMs: number, stepMs: number): Source {
  const key = `${fromMs} ${toMs} ${stepMs} ${query}`;
  const kept = answers.get(key);
  if (kept && kept.error.peek() === null) return kept;
  const source = { frame: null as Frame | null, version: signal(0), error: signal<string | null>(null) };
  answers.set(key, source);
  for (const oldest of answers.keys()) {
    if (answers.size <= keptAnswers) break;
    answers.delete(oldest);
  }
  const asked = new URLSearchParams({
    query, start: String(fromMs / 1000), end: String(toMs / 1000), step: String(stepMs / 1000),
  });
  fetchJson(`/api/v1/query_range?${asked}`).then(
    (body) => {
      source.frame = frameOfMatrix(body, fromMs, toMs, stepMs);
      source.version.value++;
    },
  ).catch((error: unknown) => {
    source.error.value = error instanceof Error ? error.message : String(error);
  });
  return source;
}
