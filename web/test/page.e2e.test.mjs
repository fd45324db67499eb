// The page in a real browser against the real binary.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { chartMoves, launch, openPage } from '../test_support/browser.mjs';
import { Server } from '../test_support/server.mjs';

const patient = { timeout: 60_000 };  // on a machine that also builds
let server;
let browser;

before(async () => {
  server = await Server.make();
  await server.start();
  browser = await launch();
}, { timeout: 60_000 });

after(async () => {
  await browser?.close();
  await server?.remove();
});

async function withPage(path, options, body) {
  const { page, offences } = await openPage(browser, server, options);
  try {
    await page.goto(server.address + path);
    await body(page);
    assert.deepEqual(offences, []);
  } finally {
    await page.context().close();
  }
}

const path = (page) => new URL(page.url()).pathname + new URL(page.url()).search;

// A chroot, for one, has no file system that holds files of the user's: the page says so.
const fileSystems = async () => {
  const answer = await fetch(`${server.address}/api/v1/series?match[]=node_filesystem_size_bytes`);
  const { data } = await answer.json();
  return `section[aria-label="File systems"] ${data.some(({ fstype }) => !/tmpfs|ramfs|squashfs|efivarfs|overlay|iso9660|lxcfs/.test(fstype)) ? 'tbody tr' : '.panel-note'}`;
};

test('charts of this host move', patient, () => withPage('/hosts', {}, async (page) => {
  await chartMoves(page);
  await page.waitForFunction(() => /\d/.test(document.querySelector('.tile-value')?.textContent ?? ''));
  for (const title of ['CPU by mode', 'CPU by core', 'Memory', 'Load']) {
    await page.waitForSelector(`section[aria-label="${title}"] canvas`);
  }
  await page.waitForSelector(await fileSystems());
  await page.waitForSelector('.live:text-is("Live")');
}));

test('the first chart comes soon after loading', patient, () => withPage('/', {}, async (page) => {
  await page.waitForSelector('.chart canvas');
  await page.reload();
  await page.waitForSelector('.chart canvas');
  const ms = await page.evaluate(() => performance.getEntriesByName('chart-drawn')[0].startTime);
  console.log(`first chart ${ms.toFixed(0)} ms after navigation`);
}));

test('Targets tells what is scraped and what is not reached', patient, () => withPage('/targets', {}, async (page) => {
  await server.watch('nobody', ['127.0.0.1:9']);
  await server.watch('self', [server.listen]);
  await page.waitForSelector('section[aria-label="Targets of nobody"] .badge-bad');
  await page.waitForSelector('section[aria-label="Targets of nobody"] .cell-bad:has-text("refused")');
  await page.waitForSelector('section[aria-label="Targets of self"] .badge-good');
  await page.fill('input[aria-label="Filter targets"]', 'refused');
  await page.waitForSelector('section[aria-label="Targets of self"]', { state: 'detached' });
  assert.equal(path(page), '/targets?filter=refused');
}));

test('an alert is acknowledged, silenced and heard again from the keyboard', { timeout: 120_000 }, () => withPage('/alerts', {}, async (page) => {
  const raise = () => fetch(`${server.address}/api/v2/alerts`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify([
    { labels: { alertname: 'DiskFull', severity: 'critical', instance: 'a' }, annotations: { summary: '/var is 97 % full' } }]) });
  assert.equal((await raise()).status, 200);
  const panel = 'section[aria-label="Alerts DiskFull"]';
  await page.waitForSelector(`${panel} th:has-text("/var is 97 % full")`);
  assert.equal(await page.textContent(`${panel} .badge`), 'firing');
  await page.focus(`${panel} button:has-text("Acknowledge")`);
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.matches('form[aria-label="Acknowledge"] input'));
  await page.keyboard.type('on it');
  await page.keyboard.press('Enter');
  await page.waitForSelector(`${panel} .badge:has-text("acknowledged")`);
  assert.match(await page.textContent(`${panel} tbody`), /: on it/);
  await page.focus(`${panel} button:has-text("Silence")`);
  await page.keyboard.press('Enter');
  await page.waitForSelector('form[aria-label="Silence"]');
  await page.keyboard.press('Escape');
  await page.waitForSelector('form[aria-label="Silence"]', { state: 'detached' });
  await page.click(`${panel} button:has-text("Silence")`);
  await page.keyboard.type('known');
  await page.keyboard.press('Enter');
  await page.waitForSelector(`${panel} .badge:has-text("silenced")`);
  await page.click('nav[aria-label="Views of alerts"] a:has-text("Silences")');
  assert.equal(path(page), '/alerts/silences');
  await page.waitForSelector('section[aria-label="Silences"] tr:has-text("known")');
  await page.click('section[aria-label="Silences"] button:has-text("End now")');
  await page.waitForSelector('section[aria-label="Silences"] .panel-note');
  await page.click('nav[aria-label="Views of alerts"] a:has-text("History")');
  for (const kind of ['firing', 'acknowledged', 'silenced']) await page.waitForSelector(`section[aria-label="History"] .badge:has-text("${kind}")`);
  await page.click('nav[aria-label="Views of alerts"] a:has-text("Receivers")');
  await page.waitForSelector('section[aria-label="Receivers"] tr:has-text("nobody")');
}));

test('Explore shows any PromQL expression', patient, async () => {
  const query = encodeURIComponent('sum by (mode) (rate(node_cpu_seconds_total[10s]))');
  await withPage(`/explore?q=${query}`, {}, async (page) => {
    await chartMoves(page);
    await page.waitForSelector('tbody th:has-text(\'{mode="idle"}\')');
    assert.equal(await page.locator('tbody th:has-text("cpu=")').count(), 0);
  });
  await withPage('/explore?q=sum(', {}, async (page) => {
    await page.waitForSelector('text=unclosed left parenthesis');
  });
});

test('a restarted server is found again without a reload', { timeout: 120_000 }, () => withPage('/hosts?range=5m', {}, async (page) => {
  await chartMoves(page);
  await page.evaluate(() => { window.notReloaded = true; });
  await server.stop('SIGKILL');
  await page.waitForSelector('.banner-bad');
  assert.match(await page.textContent('.banner-bad'), /Disconnected/);
  assert.equal(await page.textContent('.live'), 'Offline');
  assert.ok(await page.isVisible('.chart canvas'), 'what was known stays on screen');
  await server.start();
  await page.waitForSelector('.live-on', { timeout: 30_000 });
  await page.waitForSelector('.banner-bad', { state: 'detached' });
  await chartMoves(page);
  assert.equal(await page.evaluate(() => window.notReloaded), true);
}));

test('the time range lives in the address and Back works', patient, () => withPage('/', {}, async (page) => {
  await page.waitForSelector('.chart canvas');
  await page.click('.range-button');
  await page.click('.range-presets button:has-text("5 minutes")');
  assert.equal(path(page), '/?range=5m');
  await page.click('nav a:has-text("Status")');
  assert.equal(path(page), '/status?range=5m');
  await page.waitForSelector('h1:has-text("Status")');
  await page.goBack();
  await page.waitForSelector('h1:has-text("Overview")');
  await page.goBack();
  assert.equal(path(page), '/');
  assert.match(await page.textContent('.range-button'), /15 minutes/);
}));

test('dragging over a chart zooms to a fixed range', patient, () => withPage('/hosts?range=5m', {}, async (page) => {
  await chartMoves(page);
  const box = await (await page.$('.chart .u-over')).boundingBox();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.99, box.y + 40, { steps: 5 });
  await page.mouse.up();
  await page.waitForFunction(() => location.search.includes('from='));
  assert.equal(await page.textContent('.live'), 'Past');
  await page.waitForSelector('.chart canvas');
  await page.click('button:has-text("Back to live")');
  await page.waitForSelector('.live-on');
  await chartMoves(page);
}));

test('the whole page can be used from the keyboard', patient, () => withPage('/', {}, async (page) => {
  await page.waitForSelector('.chart canvas');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  await page.focus('.range-button');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.range-menu');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.range-menu', { state: 'detached' });
  assert.ok(await page.evaluate(() => document.activeElement.classList.contains('range-button')));
  await page.focus('nav a:has-text("Explore")');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#query');
}));

test('any series can be explored, and a bad selector says why', patient, () => withPage('/explore?q=node_load1', {}, async (page) => {
  await chartMoves(page);
  assert.match(await page.textContent('section[aria-label="Series"] tbody'), /node_load1/);
  await page.fill('#query', 'node_load1{');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.panel-error');
  await page.fill('#query', 'no_such_metric');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.panel-note:has-text("No series matches")');
}));

test('the status page knows its server', patient, () => withPage('/status', {}, async (page) => {
  await page.waitForSelector('.facts dt:has-text("Version")');
  await page.waitForSelector('section[aria-label="Own metrics"] tbody tr');
  await page.fill('input[type="search"]', 'process_resident');
  await page.waitForFunction(() => document.querySelectorAll('section[aria-label="Own metrics"] tbody tr').length === 1);
}));

test('dark and light by choice', patient, () => withPage('/', { colorScheme: 'light' }, async (page) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.waitForSelector('.theme-switch');
  const light = await ground();
  await page.click('label[title="Dark"]');
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  await page.waitForSelector('.theme-switch');
  assert.equal(await ground(), dark, 'the choice stays');
}));

test('nothing scrolls sideways at any width', { timeout: 120_000 }, () => withPage('/', {}, async (page) => {
  const filled = {
    '/': '.chart canvas', '/hosts': await fileSystems(), '/status': 'section[aria-label="Own metrics"] tbody tr',
    '/explore?q=node_cpu_seconds_total': 'section[aria-label="Series"] tbody tr', '/hosts/nobody': '.panel-first', '/login': '#key', '/alerts': '.panel',
    '/alerts/silences': '.panel', '/alerts/history': '.panel', '/alerts/receivers': '.panel', '/alerts/rules': '.panel',
  };
  for (const [address, content] of Object.entries(filled)) {
    await page.goto(server.address + address);
    await page.waitForSelector(content);
    for (const width of [1440, 900, 390, 320]) {
      await page.setViewportSize({ width, height: 844 });
      const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(wide <= view, `${address} at ${width}: ${wide} wide`);
    }
  }
}));

test('the sign-in page tells a failed try and keeps where to go', patient, () => withPage('/login?failed=1&next=/status', {}, async (page) => {
  await page.waitForSelector('#error:not([hidden])');
  assert.equal(await page.inputValue('#next'), '/status');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'key');
}));
