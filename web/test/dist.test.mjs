// The committed dist/ is what the sources build, twice the same, and within the budget.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { build } from '../build.mjs';
import { root } from '../test_support/load.mjs';

async function contentsOf(folder) {
  const names = (await readdir(folder)).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name), 'utf8')])));
}

test('dist/ is what the sources build', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'binnacle-web-'));
  try {
    const { total } = await build(path.join(folder, 'first'));
    await build(path.join(folder, 'second'));
    const first = await contentsOf(path.join(folder, 'first'));
    assert.deepEqual(await contentsOf(path.join(folder, 'second')), first, 'two builds differ');
    const committed = await contentsOf(path.join(root, 'dist'));
    assert.deepEqual(Object.keys(committed), Object.keys(first), 'web/dist is not of these sources: run `npm run build` in web/ and commit dist/');
    for (const name of Object.keys(first)) assert.ok(committed[name] === first[name], `web/dist/${name} differs: run \`npm run build\` in web/ and commit dist/`);
    assert.ok(total <= 150 * 1024, `script and style are ${total} bytes compressed`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('the lock file names no download addresses', async () => {
  const lock = await readFile(path.join(root, 'package-lock.json'), 'utf8');
  assert.ok(!lock.includes('"resolved"'), 'run npm install in web/, whose .npmrc leaves them out');
});

test('nothing in the page is styled or scripted in line', async () => {
  for (const [name, text] of Object.entries(await contentsOf(path.join(root, 'dist')))) {
    if (!name.endsWith('.html')) continue;
    assert.ok(!/<style|\sstyle=|<script>|\son\w+=/.test(text), name);
  }
});
