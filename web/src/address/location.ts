// The address bar as a signal: the only state of the page that is shared by copying a link. Navigation goes
// through here, so that Back and Forward work.
import { computed, signal } from '@preact/signals';
import { type TimeRange, parseRange, writeRange } from './range.ts';
import { parseRoute } from './route.ts';

const current = signal(new URL(location.href));

export const route = computed(() => parseRoute(current.value.pathname));
export const search = computed(() => current.value.searchParams);
export const timeRange = computed(() => parseRange(current.value.searchParams));

export function listenToHistory(): void {
  addEventListener('popstate', () => (current.value = new URL(location.href)));
}

function go(url: URL, replace: boolean): void {
  if (url.href === current.value.href) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', url);
  current.value = url;
}

// The address of another page with this page's time range.
export function addressOf(path: string): string {
  const url = new URL(path, location.origin);
  writeRange(timeRange.value, url.searchParams);
  return url.pathname + url.search;
}

export function openPath(address: string): void {
  go(new URL(address, location.origin), false);
  scrollTo(0, 0);
}

export function setTimeRange(range: TimeRange): void {
  const url = new URL(current.value);
  writeRange(range, url.searchParams);
  go(url, false);
}

export function setParam(name: string, value: string | null, replace = false): void {
  const url = new URL(current.value);
  if (value === null || value === '') url.searchParams.delete(name);
  else url.searchParams.set(name, value);
  go(url, replace);
}

// For <a onClick>: plain clicks stay in the page, the others (new tab, download) are the browser's.
export function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.currentTarget;
  if (!(link instanceof HTMLAnchorElement) || link.origin !== location.origin) return;
  event.preventDefault();
  openPath(link.pathname + link.search);
}
