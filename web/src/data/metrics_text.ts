// The Prometheus text format, as far as this server's own /metrics needs it: names, labels, values.
import type { LabelSet } from './frame.ts';

export interface MetricSample {
  readonly name: string;
  readonly labels: LabelSet;
  readonly value: number;
}

const escapes: Readonly<Record<string, string>> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };

function parseLabels(text: string): LabelSet {
  const labels: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(/([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
    labels[name as string] = (value as string).replace(/\\[n"\\]/g, (escape) => escapes[escape] as string);
  }
  return labels;
}

// Lines that are not samples are left out.
export function parseMetricsText(text: string): MetricSample[] {
  const samples: MetricSample[] = [];
  for (const line of text.split('\n')) {
    const found = /^([A-Za-z_:][\w:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?\s+(\S+)/.exec(line);
    if (!found) continue;
    const [, name, labels, value] = found as unknown as [string, string, string | undefined, string];
    const number = value === '+Inf' ? Infinity : value === '-Inf' ? -Infinity : Number(value);
    samples.push({ name, labels: parseLabels(labels ?? ''), value: number });
  }
  return samples;
}
