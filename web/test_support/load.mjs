// Loads a TypeScript module of the page into a test, compiled by the same esbuild that builds the page.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

// All entries in one bundle, so that they share their modules (and their signals).
export async function load(...entries) {
  const contents = entries.map((entry) => `export * from './src/${entry}';`).join('\n');
  const result = await esbuild.build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    bundle: true, write: false, format: 'esm', platform: 'node', target: 'node18',
    jsx: 'automatic', jsxImportSource: 'preact', absWorkingDir: root,
  });
  const code = Buffer.from(result.outputFiles[0].contents).toString('base64');
  return import(`data:text/javascript;base64,${code}`);
}

export function frameOf(Frame, series, { stepMs = 1000, endMs = 100_000 } = {}) {
  const length = series[0][1].length;
  const frame = new Frame(stepMs, endMs, (length - 1) * stepMs);
  series.forEach(([metric, values], ref) => frame.add({ ref, metric }, frame.startMs, values));
  return frame;
}

export function rounded(values, digits = 6) {
  return Array.from(values, (value) => (Number.isNaN(value) ? null : Number(value.toFixed(digits))));
}
