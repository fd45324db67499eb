// A browser that writes down what a page must never do: break its policy, fail in a script, ask another site.
import { chromium } from 'playwright-core';

const flags = [
  '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium', args: flags });
}

export async function openPage(browser, server, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const offences = [];
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
  page.on('console', (message) => {
    if (/^policy:|Content Security Policy/.test(message.text())) offences.push(message.text());
  });
  page.on('pageerror', (error) => offences.push(`script: ${error.message}`));
  const host = server.address.slice('http://'.length);
  const ours = (address) => new URL(address).host === host || address.startsWith('data:');
  page.on('request', (request) => { if (!ours(request.url())) offences.push(`asked ${request.url()}`); });
  page.on('websocket', (socket) => { if (!ours(socket.url())) offences.push(`asked ${socket.url()}`); });
  return { page, offences };
}

// Resolves once the picture of the first chart differs from what it is now.
export async function chartMoves(page, timeout = 15_000) {
  await page.waitForSelector('.chart canvas', { timeout });
  const before = await page.evaluate(() => document.querySelector('.chart canvas').toDataURL());
  await page.waitForFunction((old) => {
    const canvas = document.querySelector('.chart canvas');
    return canvas && canvas.toDataURL() !== old;
  }, before, { timeout });
}
