// One WebSocket to the server that heals itself: a lost or silent one is opened again after a growing wait, at
// once when the browser comes back online or into view. What to say on it is LiveHub's business.
import { type Signal, signal } from '@preact/signals';
import { retryDelayMs } from './backoff.ts';
import { type ClientMessage, type ServerMessage, parseServerMessage } from './protocol.ts';

export type ConnectionState = 'connecting' | 'open' | 'lost';

// The part of WebSocket that is used, so that tests can stand in for the network.
export interface Socket {
  onopen: (() => void) | null;
  onclose: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface Surroundings {
  openSocket(): Socket;
  setTimeout(run: () => void, ms: number): number;
  clearTimeout(timer: number): void;
  random(): number;
}

const connectLimitMs = 10_000;

export class LiveConnection {
  readonly state: Signal<ConnectionState> = signal('connecting');
  onOpen: () => void = () => {};
  onMessage: (message: ServerMessage) => void = () => {};
  onRefused: () => void = () => {};  // closed before it opened: perhaps the key is no longer good

  private socket: Socket | null = null;
  private failures = 0;
  private retryTimer: number | null = null;
  private silenceTimer: number | null = null;
  private silenceLimitMs = 0;

  constructor(private readonly around: Surroundings) {}

  start(): void {
    this.connect();
  }

  // No wait is worth keeping when there is a reason to believe that it works now.
  retryNow(): void {
    if (this.retryTimer !== null) this.connect();
  }

  send(message: ClientMessage): void {
    if (this.state.value === 'open') this.socket?.send(JSON.stringify(message));
  }

  // While something is subscribed the server speaks every step; silence beyond `ms` then means a dead link
  // that TCP has not noticed. 0: nothing is expected.
  expectMessagesWithin(ms: number): void {
    this.silenceLimitMs = ms;
    this.watchSilence();
  }

  private connect(): void {
    this.stopTimer('retryTimer');
    if (this.state.value !== 'lost') this.state.value = 'connecting';
    const socket = this.around.openSocket();
    this.socket = socket;
    let opened = false;
    this.silenceTimer = this.around.setTimeout(() => this.lose(socket), connectLimitMs);
    socket.onopen = () => {
      opened = true;
      this.failures = 0;
      this.state.value = 'open';
      this.watchSilence();
      this.onOpen();
    };
    socket.onmessage = (event) => {
      this.watchSilence();
      const message = typeof event.data === 'string' ? parseServerMessage(event.data) : null;
      if (message) this.onMessage(message);
    };
    socket.onclose = () => {
      if (!opened) this.onRefused();
      this.lose(socket);
    };
  }

  private lose(socket: Socket): void {
    if (socket !== this.socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.socket = null;
    this.stopTimer('silenceTimer');
    this.state.value = 'lost';
    const delay = retryDelayMs(this.failures++, this.around.random);
    this.retryTimer = this.around.setTimeout(() => this.connect(), delay);
  }

  private watchSilence(): void {
    this.stopTimer('silenceTimer');
    const socket = this.socket;
    if (!socket || this.silenceLimitMs <= 0 || this.state.value !== 'open') return;
    this.silenceTimer = this.around.setTimeout(() => this.lose(socket), this.silenceLimitMs);
  }

  private stopTimer(name: 'retryTimer' | 'silenceTimer'): void {
    const timer = this[name];
    if (timer !== null) this.around.clearTimeout(timer);
    this[name] = null;
  }
}
