// The live connection and its subscriptions, with sockets and timers of the test's own.
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from '../test_support/load.mjs';

const { LiveConnection, LiveHub, parseServerMessage, retryDelayMs } = await load(
  'live/connection.ts', 'live/hub.ts', 'live/protocol.ts', 'live/backoff.ts');

class World {
  sockets = [];
  timers = new Map();
  now = 0;
  nextTimer = 1;

  openSocket() {
    const socket = { sent: [], closed: false, send: (text) => socket.sent.push(JSON.parse(text)), close: () => (socket.closed = true) };
    this.sockets.push(socket);
    return socket;
  }
  setTimeout(run, ms) { this.timers.set(this.nextTimer, { run, at: this.now + ms }); return this.nextTimer++; }
  clearTimeout(timer) { this.timers.delete(timer); }
  random() { return 1; }

  pass(ms) {
    const end = this.now + ms;
    for (;;) {
      const [timer, due] = [...this.timers].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at)[0] ?? [];
      if (!timer) break;
      this.timers.delete(timer);
      this.now = due.at;
      due.run();
    }
    this.now = end;
  }
  get socket() { return this.sockets.at(-1); }
  accept() { this.socket.onopen(); }
  say(message) { this.socket.onmessage({ data: JSON.stringify(message) }); }
}

function live() {
  const world = new World();
  const connection = new LiveConnection(world);
  const hub = new LiveHub(connection);
  connection.start();
  return { world, connection, hub };
}

const snapshot = (id, values) => ({ type: 'snapshot', id, start_ms: 0, step_ms: 1000, series: [{ ref: 0, metric: { __name__: 'up' }, values }] });

test('waits double up to a bound, with jitter', () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 99].map((failures) => retryDelayMs(failures, () => 1));
  assert.deepEqual(longest, [500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
  assert.equal(retryDelayMs(3, () => 0), 2000, 'half at the least');
});

test('a lost connection is opened again, later and later, and asks for everything anew', () => {
  const { world, connection, hub } = live();
  world.accept();
  const source = hub.acquire('up', 60_000, 1000);
  assert.equal(world.socket.sent[0].query, 'up');
  assert.deepEqual([world.socket.sent[0].range_ms, world.socket.sent[0].step_ms], [60_000, 1000]);
  world.say(snapshot(world.socket.sent[0].id, [1, 2]));
  assert.equal(source.frame.series.length, 1);

  world.socket.onclose();
  assert.equal(connection.state.value, 'lost');
  world.pass(499);
  assert.equal(world.sockets.length, 1);
  world.pass(1);
  assert.equal(world.sockets.length, 2);
  world.socket.onclose();
  world.pass(999);
  assert.equal(world.sockets.length, 2);
  world.pass(1);
  world.accept();
  assert.equal(connection.state.value, 'open');
  assert.equal(world.socket.sent.length, 1);
  assert.equal(world.socket.sent[0].query, 'up');
  assert.equal(source.frame.series.length, 1, 'the old window stays until the new one is there');
  world.socket.onclose();
  world.pass(500);
  assert.equal(world.sockets.length, 4, 'success starts the waits anew');
});

test('silence while something is expected is a lost connection', () => {
  const { world, connection, hub } = live();
  world.accept();
  world.pass(60_000);
  assert.equal(connection.state.value, 'open', 'nothing is expected');
  hub.acquire('up', 60_000, 1000);
  world.pass(9_999);
  world.say(snapshot(world.socket.sent.at(-1).id, [1]));
  world.pass(9_999);
  assert.equal(connection.state.value, 'open');
  world.pass(1);
  assert.equal(connection.state.value, 'lost');
  assert.ok(world.sockets[0].closed);
});

test('a connection that never opens is given up', () => {
  const { world, connection } = live();
  world.pass(10_000);
  assert.equal(connection.state.value, 'lost');
  connection.retryNow();
  assert.equal(world.sockets.length, 2);
  connection.retryNow();
  assert.equal(world.sockets.length, 2, 'one try at a time');
});

test('a refused handshake is told, a broken connection is not', () => {
  const { world, connection } = live();
  let refused = 0;
  connection.onRefused = () => refused++;
  world.socket.onclose();
  assert.equal(refused, 1);
  world.pass(500);
  world.accept();
  world.socket.onclose();
  assert.equal(refused, 1);
});

test('one subscription however many look', () => {
  const { world, hub } = live();
  world.accept();
  const first = hub.acquire('up', 60_000, 1000);
  assert.equal(hub.acquire('up', 60_000, 1000), first);
  assert.notEqual(hub.acquire('up', 60_000, 2000), first);
  assert.equal(world.socket.sent.length, 2);
});

test('deltas move the window, errors belong to their query', () => {
  const { world, hub } = live();
  world.accept();
  const good = hub.acquire('up', 2000, 1000);
  const bad = hub.acquire('up{', 2000, 1000);
  const [goodId, badId] = world.socket.sent.map((message) => message.id);
  world.say(snapshot(goodId, [1, 2, 3]));
  world.say({ type: 'error', id: badId, message: 'parse error' });
  world.say({ type: 'delta', id: goodId, time_ms: 3000, added: [], values: [4] });
  world.say({ type: 'delta', id: 'nobody', time_ms: 4000, added: [], values: [5] });
  assert.deepEqual([...good.frame.series[0].values], [2, 3, 4]);
  assert.equal(good.version.value, 2);
  assert.equal(good.error.value, null);
  assert.equal(bad.error.value, 'parse error');
});

test('a hidden page asks for nothing, a shown one for all of it again', () => {
  const { world, hub } = live();
  world.accept();
  hub.acquire('up', 60_000, 1000);
  hub.pause();
  assert.deepEqual(world.socket.sent.map((message) => message.op), ['subscribe', 'unsubscribe']);
  world.pass(60_000);
  assert.equal(world.sockets.length, 1, 'its silence is no loss');
  hub.resume();
  assert.equal(world.socket.sent.length, 3);
  assert.notEqual(world.socket.sent[2].id, world.socket.sent[0].id);
});

test('another version of the server is noticed', () => {
  const { world, hub } = live();
  const hello = (version) => ({ type: 'hello', version, boot_id: 'b', now_ms: 1 });
  world.accept();
  world.say(hello('0.1.0'));
  world.say(hello('0.1.0'));
  assert.equal(hub.serverChanged.value, false);
  world.say(hello('0.2.0'));
  assert.equal(hub.serverChanged.value, true);
});

test('what is no message is no harm', () => {
  for (const text of ['', '{', 'null', '7', '[]', '{"type":"later"}']) assert.equal(parseServerMessage(text), null, text);
});
