// Colours of lines, taken from the style sheet so that dark and light have their own. Told apart by people
// with the common kinds of colour blindness for the first six; later ones repeat.
export const paletteSize = 10;

export function colourClass(index: number): string {
  return `colour-${index % paletteSize}`;
}

export interface ChartColours {
  readonly lines: readonly string[];
  readonly axis: string;
  readonly grid: string;
}

export function readColours(): ChartColours {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    lines: Array.from({ length: paletteSize }, (_, i) => read(`--line-${i}`)),
    axis: read('--muted'),
    grid: read('--grid'),
  };
}
