// How long to wait before the next try to connect: doubling, bounded, and with jitter, so that a restarted
// server is not met by all its pages at once.
const firstMs = 500;
const longestMs = 15_000;

export function retryDelayMs(failures: number, random: () => number): number {
  const ceiling = Math.min(longestMs, firstMs * 2 ** Math.min(failures, 20));
  return Math.round(ceiling * (0.5 + 0.5 * random()));
}
