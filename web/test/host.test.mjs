import assert from 'node:assert/strict';
import test from 'node:test';
import { frameOf, load, rounded } from '../test_support/load.mjs';

const h = await load('data/frame.ts', 'host/cpu.ts', 'host/memory.ts', 'host/disk.ts', 'host/network.ts',
  'host/pressure.ts', 'host/file_systems.ts', 'host/hosts.ts', 'chart/stack.ts', 'chart/staleness.ts');
const frame = (series) => frameOf(h.Frame, series);
const lines = (made) => Object.fromEntries(made.map(({ label, values }) => [label, rounded(values, 3)]));
const cpu = (core, mode, values, instance = 'a') => [{ __name__: 'node_cpu_seconds_total', cpu: core, mode, instance }, values];

test('CPU by mode is a share of all cores', () => {
  const made = frame([cpu('0', 'user', [0, 1]), cpu('1', 'user', [0, 0.5]), cpu('0', 'idle', [0, 0]), cpu('1', 'idle', [0, 0.5]),
    cpu('0', 'steal', [3, 3]), cpu('1', 'nice', [0, 0.1])]);
  assert.deepEqual(lines(h.cpuByMode(made)), { user: [null, 75], nice: [null, 5] }, 'modes without time are left out');
});

test('CPU by core and by host come from idle time', () => {
  const made = frame([cpu('10', 'idle', [0, 0.25]), cpu('2', 'idle', [0, 1.02]), cpu('0', 'idle', [0, 0.5], 'b')]);
  assert.deepEqual(h.cpuByCore(frame([cpu('10', 'idle', [0, 0.25]), cpu('2', 'idle', [0, 1.02])])).map(({ label, values }) => [label, values[1]]),
    [['cpu2', 0], ['cpu10', 75]], 'sorted as numbers, never below zero');
  const byHost = h.busyBy(made, 'instance');
  assert.equal(Number(byHost.get('a')[1].toFixed(1)), 36.5);
  assert.equal(byHost.get('b')[1], 50);
});

test('memory is used, cache and the rest', () => {
  const mem = (name, value) => [{ __name__: `node_memory_${name}_bytes`, instance: 'a' }, [value]];
  const made = frame([mem('MemTotal', 100), mem('MemFree', 30), mem('MemAvailable', 60), mem('Buffers', 5), mem('Cached', 20), mem('SReclaimable', 5)]);
  assert.deepEqual(lines(h.memoryStack(made)), { used: [40], cache: [30] });
  assert.equal(h.memoryUsedBy(made, 'instance').get('a')[0], 40);
  assert.deepEqual(h.memoryStack(frame([mem('MemTotal', 100)])), []);
  assert.deepEqual(lines(h.swapUsed(frame([mem('SwapTotal', 10), mem('SwapFree', 7)]))), { swap: [3] });
  assert.deepEqual(h.swapUsed(frame([mem('SwapTotal', 0), mem('SwapFree', 0)])), [], 'no swap is no line');
});

test('disks count once, busy is at most all the time', () => {
  const disk = (name, device, values) => [{ __name__: name, device }, values];
  const read = 'node_disk_read_bytes_total';
  const made = frame([disk(read, 'sda', [0, 10]), disk(read, 'sdb', [0, 5]), disk(read, 'dm-0', [0, 15]),
    disk('node_disk_io_time_seconds_total', 'sda', [0, 1.01]), disk('node_disk_io_time_seconds_total', 'loop3', [0, 1])]);
  assert.deepEqual(lines(h.diskThroughput(made)), { read: [null, 15] });
  assert.deepEqual(lines(h.diskBusy(made)), { sda: [null, 100] });
});

test('traffic leaves the host', () => {
  const net = (direction, device, values) => [{ __name__: `node_network_${direction}_bytes_total`, device, instance: 'a' }, values];
  const made = frame([net('receive', 'lo', [0, 99]), net('receive', 'eth0', [0, 7]), net('transmit', 'eth0', [0, 2]), net('receive', 'veth12', [0, 50])]);
  assert.deepEqual(lines(h.networkTraffic(made)), { received: [null, 7], sent: [null, 2] });
  assert.equal(h.trafficBy(made, 'instance').get('a')[1], 9);
});

test('pressure is a share of time', () => {
  const made = frame([[{ __name__: 'node_pressure_io_waiting_seconds_total' }, [0, 0.2]]]);
  assert.deepEqual(lines(h.pressure(made)), { 'I/O': [null, 20] });
});

test('file systems as df counts them, without those in memory', () => {
  const fs = (mount, type, size, free, avail) => ['size', 'free', 'avail'].map((what, i) =>
    [{ __name__: `node_filesystem_${what}_bytes`, mountpoint: mount, device: `/dev${mount}`, fstype: type, instance: 'a' }, [[size, free, avail][i]]]);
  const made = frame([...fs('/z', 'ext4', 100, 50, 40), ...fs('/', 'ext4', 100, 20, 20), ...fs('/run', 'tmpfs', 10, 10, 10)]);
  assert.deepEqual(h.fileSystems(made).map(({ mount, usedRatio }) => [mount, Number(usedRatio.toFixed(3))]), [['/', 0.8], ['/z', 0.556]]);
  assert.equal(h.fileSystems(frame(fs('/', 'overlay', 10, 5, 5))).length, 1, 'a container sees nothing else');
});

test('hosts by name', () => {
  const made = frame([[{ __name__: 'node_uname_info', instance: 'b:1', nodename: 'anna', sysname: 'Linux', release: '6.1', machine: 'x86_64' }, [1]],
    [{ __name__: 'node_uname_info', instance: 'a:1' }, [1]]]);
  assert.deepEqual(h.hostsIn(made), [{ instance: 'a:1', name: 'a:1', system: '' }, { instance: 'b:1', name: 'anna', system: 'Linux 6.1 x86_64' }]);
});

test('stacking adds up what is there', () => {
  const column = (...values) => Float64Array.from(values);
  assert.deepEqual(h.stacked([column(1, 2, NaN), column(10, NaN, 30)]), [[1, 2, null], [11, null, 30]]);
  assert.deepEqual(h.drawable(column(1, NaN, Infinity)), [1, null, null]);
});

test('stale is what is older than ten seconds and than is usual for its source', () => {
  const made = frameOf(h.Frame, [[{ __name__: 'a' }, [1, 2, NaN]]], { endMs: 3000 });
  assert.equal(h.staleSeconds([made], 12_000), null);
  assert.equal(h.staleSeconds([made], 12_001), 10);
  assert.equal(h.staleSeconds([null], 99_000), null);
  const slow = frameOf(h.Frame, [[{ __name__: 'a' }, [1, 2, 3]]], { endMs: 60_000, stepMs: 30_000 });
  assert.equal(h.staleSeconds([slow], 180_000), null);
  assert.equal(h.staleSeconds([slow], 181_000), 121);
});
