// Disk throughput and busy time. Stacked devices (dm, md) are left out of sums: their disks count already.
import { type Line, linesOf, mapValues, named, perSecond, sumBy } from '../data/combine.ts';
import type { Frame, LabelSet } from '../data/frame.ts';

export const throughputMetrics = ['node_disk_read_bytes_total', 'node_disk_written_bytes_total'];
export const busyMetric = 'node_disk_io_time_seconds_total';

function isDisk(labels: LabelSet): boolean {
  return !/^(dm-|md|loop|ram|zram|sr|fd)/.test(labels['device'] ?? '');
}

export function diskThroughput(frame: Frame): Line[] {
  return throughputMetrics.flatMap((name, i) => {
    const sum = sumBy(named(frame, name), frame.stepMs, perSecond, (l) => (isDisk(l) ? '' : null)).get('');
    return sum ? [{ label: i === 0 ? 'read' : 'written', values: sum }] : [];
  });
}

export function diskBusy(frame: Frame): Line[] {
  const byDevice = sumBy(named(frame, busyMetric), frame.stepMs, perSecond,
    (labels) => (isDisk(labels) ? labels['device'] ?? '' : null));
  return linesOf(byDevice).map(({ label, values }) => ({
    label, values: mapValues(values, (v) => Math.min(100, 100 * v)),
  }));
}
