// Stacked lines: each drawn on top of the sum of those before it. Where a line has no value nothing is drawn
// of it, and the others keep their places.
export type Column = (number | null)[];

export function drawable(values: Float64Array): Column {
  return Array.from(values, (value) => (Number.isFinite(value) ? value : null));
}

export function stacked(lines: readonly Float64Array[]): Column[] {
  const sums: number[] = [];
  return lines.map((values) =>
    Array.from(values, (value, i) => {
      if (!Number.isFinite(value)) return null;
      return (sums[i] = (sums[i] ?? 0) + value);
    }),
  );
}
