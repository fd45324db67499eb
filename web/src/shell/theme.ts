// Dark or light: the reader's system decides until they choose; the choice stays in this browser.
export type Theme = 'system' | 'light' | 'dark';

const storageKey = 'binnacle.theme';

export function storedTheme(): Theme {
  try {
    const value = localStorage.getItem(storageKey);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';  // storage may be blocked by the browser's settings
  }
}

export function applyTheme(theme: Theme = storedTheme()): void {
  if (theme === 'system') document.documentElement.removeAttribute('data-theme');
  else document.documentElement.setAttribute('data-theme', theme);
}

export function storeTheme(theme: Theme): void {
  applyTheme(theme);
  try {
    if (theme === 'system') localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, theme);
  } catch {
    // The choice then holds until the page is closed.
  }
}
