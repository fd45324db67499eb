// The real binary as a child process with a data folder of the test's own.
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { root } from './load.mjs';

const startLimitMs = 30_000;
const prometheusConfig = `
global: {scrape_interval: 1s}
scrape_configs:
- {job_name: self, file_sd_configs: [{files: [self.json]}]}
- {job_name: nobody, file_sd_configs: [{files: [nobody.json]}]}
`;

// BINNACLE_BIN, or the newest build of this tree.
export function binaryPath() {
  if (process.env.BINNACLE_BIN) return path.resolve(process.env.BINNACLE_BIN);
  const built = ['dev', 'release'].map((preset) => path.join(root, '../build', preset, 'bin/binnacle')).filter(existsSync);
  built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  if (built.length === 0) throw new Error('no binnacle binary: build one with ./dev build, or name it in BINNACLE_BIN');
  return built[0];
}

export class Server {
  static async make() {
    const server = new Server(await mkdtemp(path.join(os.tmpdir(), 'binnacle-page-')));
    await writeFile(path.join(server.folder, 'prometheus.yml'), prometheusConfig);
    return server;
  }

  // Targets of the scrape job `self` or `nobody` from now on.
  async watch(job, targets) {
    await writeFile(path.join(this.folder, `${job}.json`), JSON.stringify([{ targets }]));
  }

  constructor(folder) {
    this.folder = folder;
    this.listen = '127.0.0.1:0';
  }

  // The second start takes the port of the first, as a restarted server does.
  async start() {
    const child = spawn(binaryPath(), ['server', '--listen', this.listen, '--data', path.join(this.folder, 'data'),
      '--prometheus-config', path.join(this.folder, 'prometheus.yml')],
      { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    this.exited = new Promise((resolve) => child.once('exit', resolve));
    let said = '';
    this.address = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the server named no address:\n${said}`)), startLimitMs);
      const read = (bytes) => {
        said += bytes;
        const found = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(said);
        if (!found) return;
        clearTimeout(timer);
        resolve(found[0]);
      };
      child.stdout.on('data', read);
      child.stderr.on('data', (bytes) => (said += bytes));
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${said}`)));
      child.once('error', reject);
    });
    this.listen = this.address.slice('http://'.length);
  }

  async stop(signal) {
    if (this.child?.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    await this.exited;
  }

  async remove() {
    await this.stop('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}
