// Whether what is on screen is live, and what happens when it is not.
import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { timeRange } from '../address/location.ts';
import { connection, hub } from '../live/start.ts';

// A blink of the line is mended before it is worth a banner.
const graceMs = 1_000;

export function LiveMark() {
  const state = connection.state.value;
  if (timeRange.value.kind === 'between') return <span class="live live-past">Past</span>;
  const [text, kind] = {
    open: ['Live', 'live-on'], connecting: ['Connecting', 'live-wait'], lost: ['Offline', 'live-off'],
  }[state] as [string, string];
  return <span class={`live ${kind}`} role="status"><span class="live-dot" aria-hidden="true" />{text}</span>;
}

export function ConnectionBanner() {
  const lost = connection.state.value === 'lost';
  const shown = useSignal(false);
  useEffect(() => {
    if (!lost) {
      shown.value = false;
      return;
    }
    const timer = setTimeout(() => (shown.value = true), graceMs);
    return () => clearTimeout(timer);
  }, [lost]);
  if (shown.value) {
    return (
      <div class="banner banner-bad" role="alert">
        <span><strong>Disconnected from the server.</strong> What you see is from before; trying again by itself.</span>
        <button type="button" class="button" onClick={() => connection.retryNow()}>Try now</button>
      </div>
    );
  }
  if (hub.serverChanged.value) {
    return (
      <div class="banner" role="status">
        <span>The server now runs version {hub.serverVersion.value}; this page is from before.</span>
        <button type="button" class="button" onClick={() => location.reload()}>Reload</button>
      </div>
    );
  }
  return null;
}
