// Who looks at what, live: each distinct query is subscribed once however many charts show it, and only while
// one of them is in view. After a lost connection every query is asked for again; the old window stays on
// screen until the new snapshot is there.
import { type Signal, signal } from '@preact/signals';
import { Frame } from '../data/frame.ts';
import type { LiveConnection } from './connection.ts';
import type { ServerMessage } from './protocol.ts';
import { setServerTime } from './server_time.ts';

export interface Source {
  readonly frame: Frame | null;
  readonly version: Signal<number>;  // grows whenever the frame has changed
  readonly error: Signal<string | null>;
}

class LiveSource implements Source {
  frame: Frame | null = null;
  readonly version = signal(0);
  readonly error = signal<string | null>(null);
  id = '';
  users = 0;
  dropTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(readonly query: string, readonly rangeMs: number, readonly stepMs: number) {}
}

// A chart scrolled out of view and back, or a page left and returned to, finds its window still there.
const keepUnusedMs = 5_000;
const shortestSilenceMs = 10_000;

export class LiveHub {
  readonly serverVersion = signal<string | null>(null);
  readonly serverChanged = signal(false);  // another version answered: this page is older than the server
  private readonly sources = new Map<string, LiveSource>();
  private readonly byId = new Map<string, LiveSource>();
  private nextId = 1;
  private paused = false;

  constructor(private readonly connection: LiveConnection) {
    connection.onOpen = () => this.subscribeAll();
    connection.onMessage = (message) => this.receive(message);
  }

  acquire(query: string, rangeMs: number, stepMs: number): Source {
    const key = keyOf(query, rangeMs, stepMs);
    let source = this.sources.get(key);
    if (!source) {
      source = new LiveSource(query, rangeMs, stepMs);
      this.sources.set(key, source);
      if (!this.paused) this.subscribe(source);
      this.updateSilence();
    }
    if (source.dropTimer !== null) clearTimeout(source.dropTimer);
    source.dropTimer = null;
    source.users++;
    return source;
  }

  release(source: Source): void {
    if (!(source instanceof LiveSource) || --source.users > 0) return;
    source.dropTimer = setTimeout(() => this.drop(source), keepUnusedMs);
  }

  // A hidden tab costs the server nothing.
  pause(): void {
    if (this.paused) return;
    this.paused = true;
    for (const source of this.sources.values()) this.unsubscribe(source);
    this.updateSilence();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.subscribeAll();
  }

  private subscribeAll(): void {
    this.byId.clear();
    if (!this.paused) for (const source of this.sources.values()) this.subscribe(source);
    this.updateSilence();
  }

  // The samples of the step alone (lookback_ms): a value carried on from before would hide that its source went
  // silent, and would make the rate of a counter jump. A fresh id each time, so that a late message of an older
  // subscription finds nobody.
  private subscribe(source: LiveSource): void {
    source.id = `s${this.nextId++}`;
    this.byId.set(source.id, source);
    const { id, query, rangeMs, stepMs } = source;
    this.connection.send({
      op: 'subscribe', id, query, range_ms: rangeMs, step_ms: stepMs, lookback_ms: stepMs,
    });
  }

  private unsubscribe(source: LiveSource): void {
    this.byId.delete(source.id);
    this.connection.send({ op: 'unsubscribe', id: source.id });
  }

  private drop(source: LiveSource): void {
    this.sources.delete(keyOf(source.query, source.rangeMs, source.stepMs));
    this.unsubscribe(source);
    this.updateSilence();
  }

  private updateSilence(): void {
    let longestStep = 0;
    if (!this.paused) for (const { stepMs, error } of this.sources.values()) {
      if (error.peek() === null) longestStep = Math.max(longestStep, stepMs);
    }
    this.connection.expectMessagesWithin(longestStep && Math.max(shortestSilenceMs, 3 * longestStep));
  }

  private receive(message: ServerMessage): void {
    if (message.type === 'hello') {
      setServerTime(message.now_ms);
      const before = this.serverVersion.value;
      if (before !== null && before !== message.version) this.serverChanged.value = true;
      this.serverVersion.value = message.version;
      return;
    }
    const source = this.byId.get(message.id ?? '');
    if (!source) return;
    if (message.type === 'error') {
      source.error.value = message.message;
      this.updateSilence();
      return;
    }
    if (message.type === 'snapshot') {
      source.frame = frameOf(message, source.rangeMs);
      source.error.value = null;
    } else {
      source.frame?.append(message.time_ms, message.added ?? [], message.values);
    }
    source.version.value++;
  }
}

function keyOf(query: string, rangeMs: number, stepMs: number): string {
  return `${rangeMs} ${stepMs} ${query}`;
}

function frameOf(snapshot: ServerMessage & { type: 'snapshot' }, rangeMs: number): Frame {
  const longest = Math.max(0, ...snapshot.series.map((series) => series.values.length));
  const steps = longest > 0 ? longest - 1 : Math.floor(rangeMs / snapshot.step_ms);
  const frame = new Frame(snapshot.step_ms, snapshot.start_ms + steps * snapshot.step_ms, rangeMs);
  for (const series of snapshot.series) frame.add(series, snapshot.start_ms, series.values);
  return frame;
}
