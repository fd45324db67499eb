// Writing PromQL selectors: values are quoted, so that a name with quotes or markup in it stays a name.
export function quoted(value: string): string {
  return `"${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`;
}

export function selector(name: string, labels: Readonly<Record<string, string>> = {}): string {
  const matchers = Object.entries(labels).map(([label, value]) => `${label}=${quoted(value)}`);
  return matchers.length > 0 ? `${name}{${matchers.join(',')}}` : name;
}

// Several metrics in one query.
export function anyOf(names: readonly string[], labels: Readonly<Record<string, string>> = {}): string {
  const matchers = Object.entries(labels).map(([label, value]) => `${label}=${quoted(value)}`);
  return `{${[`__name__=~"${names.join('|')}"`, ...matchers].join(',')}}`;
}
