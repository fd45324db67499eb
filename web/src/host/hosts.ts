// The hosts that report, from node_uname_info.
import type { Frame, LabelSet } from '../data/frame.ts';

export interface Host {
  readonly instance: string;
  readonly name: string;
  readonly system: string;  // "Linux 6.1.0 x86_64"
}

export const hostsQuery = 'node_uname_info';

function hostOf(labels: LabelSet): Host {
  const instance = labels['instance'] ?? '';
  const system = [labels['sysname'], labels['release'], labels['machine']].filter(Boolean).join(' ');
  return { instance, name: labels['nodename'] || instance, system };
}

export function hostsIn(frame: Frame): Host[] {
  const byInstance = new Map<string, Host>();
  for (const { labels } of frame.series) {
    const host = hostOf(labels);
    byInstance.set(host.instance, host);
  }
  return [...byInstance.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
