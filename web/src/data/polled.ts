// What the server says at an address now and every few seconds while the page is in view.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

const everyMs = 5_000;

// `ask` stays the same function between calls. The last good answer stays while an error is told.
// `again` asks at once, after a change.
export function usePolled<T>(ask: () => Promise<T>): { value: T | null; error: string | null; again: () => void } {
  const value = useSignal<T | null>(null);
  const error = useSignal<string | null>(null);
  const again = useSignal(() => {});
  useEffect(() => {
    let stopped = false;
    const poll = () => {
      if (document.hidden) return;
      ask().then(
        (answer) => { if (!stopped) { value.value = answer; error.value = null; } },
        (reason: unknown) => { if (!stopped) error.value = reason instanceof Error ? reason.message : String(reason); },
      );
    };
    poll();
    again.value = poll;
    const timer = setInterval(poll, everyMs);
    return () => { stopped = true; clearInterval(timer); };
  }, []);
  return { value: value.value, error: error.value, again: () => again.peek()() };
}
