// The colours in force, for what is drawn on a canvas and does not follow the style sheet by itself.
import { computed, signal } from '@preact/signals';
import { type Theme, storeTheme, storedTheme } from './theme.ts';

const dark = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(dark.matches);
dark.addEventListener('change', (event) => (systemIsDark.value = event.matches));

export const theme = signal<Theme>(storedTheme());
export const colourScheme = computed<'light' | 'dark'>(() => {
  if (theme.value !== 'system') return theme.value;
  return systemIsDark.value ? 'dark' : 'light';
});

// The document changes before the signal, so that charts read the new colours.
export function chooseTheme(chosen: Theme): void {
  storeTheme(chosen);
  theme.value = chosen;
}
