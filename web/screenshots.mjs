// The pictures of docs/images: the real binary, this machine's own metrics, three shapes of screen.
// npm run screenshots
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { launch, openPage } from './test_support/browser.mjs';
import { root } from './test_support/load.mjs';
import { Server } from './test_support/server.mjs';

const folder = path.join(root, '../docs/images');
const shots = [
  { name: 'host-dark', path: '/hosts?range=5m', viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
  { name: 'host-light', path: '/hosts?range=5m', viewport: { width: 1440, height: 900 }, colorScheme: 'light' },
  { name: 'host-phone', path: '/hosts?range=5m', viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
];
// Long enough that the charts have something to show.
const historySeconds = Number(process.env.SCREENSHOT_HISTORY_SECONDS ?? 240);

const server = await Server.make();
await server.start();
const browser = await launch();
try {
  await new Promise((resolve) => setTimeout(resolve, historySeconds * 1000));
  await mkdir(folder, { recursive: true });
  for (const { name, path: address, ...options } of shots) {
    const { page } = await openPage(browser, server, options);
    await page.goto(server.address + address);
    await page.waitForSelector('.chart canvas');
    await page.waitForTimeout(3000);
    await page.screenshot({ path: path.join(folder, `${name}.png`) });
    await page.context().close();
    console.log(`docs/images/${name}.png`);
  }
} finally {
  await browser.close();
  await server.remove();
}
