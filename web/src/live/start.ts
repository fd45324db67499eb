// The page's one live connection, wired to the browser: its sockets and timers, going out of and into view.
import { signInIfNobody } from '../data/who_am_i.ts';
import { LiveConnection } from './connection.ts';
import { LiveHub } from './hub.ts';

function socketAddress(): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
}

export const connection = new LiveConnection({
  openSocket: () => new WebSocket(socketAddress()) as unknown as import('./connection.ts').Socket,
  setTimeout: (run, ms) => window.setTimeout(run, ms),
  clearTimeout: (timer) => window.clearTimeout(timer),
  random: Math.random,
});
export const hub = new LiveHub(connection);

const hiddenGraceMs = 5_000;

export function startLive(): void {
  // A refused handshake does not say why; a question over HTTP does.
  connection.onRefused = () => void signInIfNobody();
  connection.start();
  addEventListener('online', () => connection.retryNow());
  let hiding: number | undefined;
  document.addEventListener('visibilitychange', () => {
    window.clearTimeout(hiding);
    if (document.hidden) {
      hiding = window.setTimeout(() => hub.pause(), hiddenGraceMs);
    } else {
      hub.resume();
      connection.retryNow();
    }
  });
}
