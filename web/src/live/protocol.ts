// The JSON messages of /ws.
import type { LabelSet, WireSeries, WireValue } from '../data/frame.ts';

export type ClientMessage =
  | { op: 'subscribe'; id: string; query: string; range_ms: number; step_ms: number; lookback_ms: number }
  | { op: 'unsubscribe'; id: string };

export interface SnapshotSeries extends WireSeries {
  readonly metric: LabelSet;
  readonly values: readonly WireValue[];
}

export type ServerMessage =
  | { type: 'hello'; version: string; boot_id: string; now_ms: number }
  | { type: 'snapshot'; id: string; start_ms: number; step_ms: number; series: readonly SnapshotSeries[] }
  | {
      type: 'delta';
      id: string;
      time_ms: number;
      added?: readonly WireSeries[];
      values: readonly WireValue[];
    }
  | { type: 'error'; id?: string; message: string };

// null for what is not a message we know: a newer server may say more than this page understands.
export function parseServerMessage(text: string): ServerMessage | null {
  try {
    const message: unknown = JSON.parse(text);
    if (typeof message !== 'object' || message === null || !('type' in message)) return null;
    const known = ['hello', 'snapshot', 'delta', 'error'];
    return known.includes(String(message.type)) ? (message as ServerMessage) : null;
  } catch {
    return null;
  }
}
