// File systems with their fill. Those that hold no files of the user's (tmpfs and the like) are left out.
import { named } from '../data/combine.ts';
import type { Frame, LabelSet } from '../data/frame.ts';
import { latest } from '../data/rate.ts';

export const fileSystemMetrics = [
  'node_filesystem_size_bytes', 'node_filesystem_avail_bytes', 'node_filesystem_free_bytes',
];

export interface FileSystem {
  readonly instance: string;
  readonly mount: string;
  readonly device: string;
  readonly type: string;
  readonly sizeBytes: number;
  readonly availableBytes: number;
  readonly usedRatio: number;  // of what a user could ever have, as df counts it
}

const volatileTypes = /^(tmpfs|devtmpfs|ramfs|squashfs|efivarfs|overlay|iso9660|fuse\.lxcfs)$/;

function key(labels: LabelSet): string {
  return [labels['instance'], labels['device'], labels['mountpoint']].join('\n');
}

function latestByKey(frame: Frame, name: string): Map<string, number> {
  return new Map(named(frame, name).map((series) => [key(series.labels), latest(series.values)]));
}

export function fileSystems(frame: Frame): FileSystem[] {
  const available = latestByKey(frame, 'node_filesystem_avail_bytes');
  const free = latestByKey(frame, 'node_filesystem_free_bytes');
  const all = named(frame, 'node_filesystem_size_bytes').flatMap((series) => {
    const { labels } = series;
    const sizeBytes = latest(series.values);
    const availableBytes = available.get(key(labels)) ?? NaN;
    if (!(sizeBytes > 0) || Number.isNaN(availableBytes)) return [];
    const used = sizeBytes - (free.get(key(labels)) ?? availableBytes);
    return [{
      instance: labels['instance'] ?? '', mount: labels['mountpoint'] ?? '', device: labels['device'] ?? '',
      type: labels['fstype'] ?? '', sizeBytes, availableBytes, usedRatio: used / (used + availableBytes),
    }];
  });
  const lasting = all.filter((fileSystem) => !volatileTypes.test(fileSystem.type));
  const shown = lasting.length > 0 ? lasting : all;
  return shown.sort((a, b) => (a.mount < b.mount ? -1 : 1));
}
