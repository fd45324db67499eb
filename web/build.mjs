// Builds the page into dist/ (or the folder given as the first argument). The output depends on the sources
// and the locked packages alone: no dates, no paths, names carry a hash of their content. dist/ is committed,
// so that a C++ build needs no Node; test/dist.test.mjs holds it to the sources.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import esbuild from 'esbuild';

const root = path.dirname(fileURLToPath(import.meta.url));
const budgetBytes = 150 * 1024;

async function bundle() {
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints: { app: 'src/main.tsx', login: 'src/login.ts' },
    outdir: 'out',
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: ['es2021', 'chrome100', 'firefox100', 'safari15.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    charset: 'utf8',
    legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  return result.outputFiles.map((file) => ({ name: path.basename(file.path), contents: file.contents }));
}

function hashedName(name, contents) {
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, 10);
  const extension = path.extname(name);
  return `${name.slice(0, -extension.length)}-${hash}${extension}`;
}

// `{{app.js}}` in a page becomes the hashed name of app.js.
function fillNames(html, names) {
  return html.replace(/\{\{([^}]+)\}\}/g, (_, name) => {
    const hashed = names.get(name);
    if (!hashed) throw new Error(`build: a page names ${name}, which the build does not make`);
    return hashed;
  });
}

export async function build(outDir) {
  const files = new Map();
  const names = new Map();
  const assets = await bundle();
  assets.push({ name: 'favicon.svg', contents: await readFile(path.join(root, 'src/favicon.svg')) });
  for (const asset of assets) {
    const hashed = hashedName(asset.name, asset.contents);
    names.set(asset.name, hashed);
    files.set(hashed, asset.contents);
  }
  for (const page of ['index.html', 'login.html']) {
    files.set(page, fillNames(await readFile(path.join(root, 'src', page), 'utf8'), names));
  }
  await rm(outDir, { recursive: true, force: true });
  await mkdir(outDir, { recursive: true });
  for (const [name, contents] of files) await writeFile(path.join(outDir, name), contents);
  return sizes(outDir);
}

async function sizes(outDir) {
  const lines = [];
  let total = 0;
  for (const name of (await readdir(outDir)).sort()) {
    const contents = await readFile(path.join(outDir, name));
    const packed = gzipSync(contents, { level: 9 }).length;
    if (/\.(js|css)$/.test(name)) total += packed;
    lines.push(`${name}  ${contents.length} bytes, ${packed} compressed`);
  }
  return { lines, total };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { lines, total } = await build(path.resolve(process.argv[2] ?? path.join(root, 'dist')));
  for (const line of lines) console.log(line);
  console.log(`script and style: ${(total / 1024).toFixed(1)} KB compressed of ${budgetBytes / 1024} KB`);
  if (total > budgetBytes) {
    console.error('build: the page is over its budget; see README.md');
    process.exit(1);
  }
}
