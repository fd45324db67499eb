// The server's clock, carried on by this browser's monotonic clock: a browser whose wall clock is wrong still
// shows right ages and windows.
import { signal } from '@preact/signals';

const offsetMs = signal<number | null>(null);

export function setServerTime(nowMs: number): void {
  offsetMs.value = nowMs - performance.now();
}

// Before the first word from the server this browser's own clock has to do.
export function serverNowMs(): number {
  return offsetMs.value === null ? Date.now() : performance.now() + offsetMs.value;
}
