// Durations as people and Prometheus write them: `90s`, `15m`, `1h30m`, `7d`.
const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

export function parseDuration(text: string): number | null {
  if (!/^(\d+(ms|[smhdw]))+$/.test(text)) return null;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhdw])/g)) {
    total += Number(count) * unitMs[unit as keyof typeof unitMs];
  }
  return total > 0 ? total : null;
}

export function formatDuration(ms: number): string {
  const parts: string[] = [];
  let rest = Math.max(0, Math.round(ms));
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const count = Math.floor(rest / unitMs[unit]);
    if (count > 0) parts.push(`${count}${unit}`);
    rest -= count * unitMs[unit];
  }
  return parts.join('') || '0s';
}

// For prose and labels: "15 minutes", "1 hour".
export function durationInWords(ms: number): string {
  for (const [unit, name] of [['d', 'day'], ['h', 'hour'], ['m', 'minute'], ['s', 'second']] as const) {
    const count = ms / unitMs[unit];
    if (count >= 1 && Number.isInteger(count)) return `${count} ${name}${count === 1 ? '' : 's'}`;
  }
  return formatDuration(ms);
}
