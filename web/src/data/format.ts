// Numbers with units, short enough for an axis and steady enough not to jump while they change.
export type Unit = 'percent' | 'bytes' | 'bytes/s' | 'seconds' | 'number' | 'per second';

const binary = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const grouped = new Intl.NumberFormat('en');
const decimal = ['', 'k', 'M', 'G', 'T'];

function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return value.toFixed(0);
  return size >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function scaled(value: number, base: number, names: readonly string[]): string {
  let step = 0;
  let rest = Math.abs(value);
  while (rest >= base && step < names.length - 1) {
    rest /= base;
    step++;
  }
  const name = names[step] as string;
  const text = step === 0 && base === 1024 ? rest.toFixed(0) : digits(rest);
  return `${value < 0 ? '−' : ''}${text}${name ? ` ${name}` : ''}`;
}

export function formatValue(value: number, unit: Unit): string {
  if (Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  switch (unit) {
    case 'percent': return `${value.toFixed(value >= 99.95 ? 0 : 1)} %`;
    case 'bytes': return scaled(value, 1024, binary);
    case 'bytes/s': return `${scaled(value, 1024, binary)}/s`;
    case 'seconds': return formatSeconds(value);
    case 'per second': return `${scaled(value, 1000, decimal)}/s`;
    case 'number': return Number.isInteger(value) && Math.abs(value) < 1e5 ? grouped.format(value) : scaled(value, 1000, decimal);
  }
}

function formatSeconds(value: number): string {
  const size = Math.abs(value);
  if (size >= 1 || size === 0) return `${digits(value)} s`;
  return size >= 1e-3 ? `${digits(value * 1e3)} ms` : `${digits(value * 1e6)} µs`;
}

// Axis labels drop the digits that all ticks share: 10 %, not 10.0 %.
export function formatTick(value: number, unit: Unit): string {
  if (unit === 'percent') return `${Number(value.toFixed(2))} %`;
  return formatValue(value, unit).replace(/(\.\d*?)0+(?=\D|$)/, '$1').replace(/\.(?=\D|$)/, '');
}

// Two decimals always, as people know loads.
export function formatFixed(value: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(2);
}

// "3 d 4 h", "12 min", "40 s": two parts at most.
export function formatAge(seconds: number): string {
  if (Number.isNaN(seconds)) return '–';
  const parts: string[] = [];
  let rest = Math.max(0, Math.floor(seconds));
  for (const [length, name] of [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']] as const) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0 || (parts.length === 0 && length === 1)) parts.push(`${count} ${name}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}
