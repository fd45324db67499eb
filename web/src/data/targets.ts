// The targets that the server scrapes, as its API tells them.
import { fetchJson } from './fetch_json.ts';
import type { LabelSet } from './frame.ts';

export type Health = 'up' | 'down' | 'unknown';

export interface Target {
  readonly pool: string;
  readonly url: string;
  readonly labels: LabelSet;
  readonly discovered: LabelSet;
  readonly health: Health;
  readonly lastError: string;
  readonly lastScrapeMs: number | null;  // null: never
  readonly lastDurationSeconds: number;
}

export interface Pool {
  readonly name: string;
  readonly targets: readonly Target[];
  readonly up: number;
  readonly dropped: number;
}

interface Answer {
  readonly data: {
    readonly activeTargets: readonly {
      readonly scrapePool: string; readonly scrapeUrl: string; readonly globalUrl?: string;
      readonly labels: LabelSet; readonly discoveredLabels: LabelSet;
      readonly health: Health; readonly lastError: string; readonly lastScrape: string; readonly lastScrapeDuration: number;
    }[];
    readonly droppedTargetCounts?: Readonly<Record<string, number>> | null;
  };
}

export function poolsOf(answer: Answer): Pool[] {
  const byName = new Map<string, Target[]>();
  for (const name of Object.keys(answer.data.droppedTargetCounts ?? {})) byName.set(name, []);
  for (const target of answer.data.activeTargets) {
    const time = Date.parse(target.lastScrape);
    const list = byName.get(target.scrapePool) ?? [];
    byName.set(target.scrapePool, list);
    list.push({
      pool: target.scrapePool, url: target.scrapeUrl, labels: target.labels, discovered: target.discoveredLabels,
      health: target.health, lastError: target.lastError, lastScrapeMs: time > 0 ? time : null,
      lastDurationSeconds: target.lastScrapeDuration,
    });
  }
  return [...byName].sort(([a], [b]) => a.localeCompare(b)).map(([name, targets]) => ({
    name, targets: targets.sort(worstFirst), up: targets.filter(({ health }) => health === 'up').length,
    dropped: answer.data.droppedTargetCounts?.[name] ?? 0,
  }));
}

const order: Record<Health, number> = { down: 0, unknown: 1, up: 2 };

function worstFirst(a: Target, b: Target): number {
  return order[a.health] - order[b.health] || a.url.localeCompare(b.url);
}

// Every word stands somewhere in the target's address, labels or error.
export function fits(target: Target, words: readonly string[]): boolean {
  const text = [target.url, target.lastError, target.health, ...Object.entries(target.labels).flat()].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

export async function askPools(): Promise<Pool[]> {
  return poolsOf((await fetchJson('/api/v1/targets')) as Answer);
}
