// The nodes that keep a link to the server, as its API tells them.
import { fetchJson } from './fetch_json.ts';

export interface Node {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly cluster: string;
  readonly address: string;
  readonly state: string;
  readonly since: string;
  readonly version?: string;
  readonly clock_offset_seconds?: number | null;
  readonly round_trip_seconds?: number | null;
}

export async function askNodes(): Promise<readonly Node[]> {
  return ((await fetchJson('/api/binnacle/v1/nodes')) as { nodes: Node[] }).nodes;
}
