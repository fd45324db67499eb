// Network traffic over the interfaces that lead out of the host; loopback and virtual bridges would count
// the same bytes again.
import { type Line, perSecond, named, sumBy, addInto } from '../data/combine.ts';
import type { Frame, LabelSet } from '../data/frame.ts';

export const networkMetrics = ['node_network_receive_bytes_total', 'node_network_transmit_bytes_total'];

function leadsOut(labels: LabelSet): boolean {
  return !/^(lo$|veth|docker|br-|virbr|cni|flannel|cali|tap|dummy|ifb)/.test(labels['device'] ?? '');
}

export function networkTraffic(frame: Frame): Line[] {
  return networkMetrics.flatMap((name, i) => {
    const sum = sumBy(named(frame, name), frame.stepMs, perSecond, (l) => (leadsOut(l) ? '' : null)).get('');
    return sum ? [{ label: i === 0 ? 'received' : 'sent', values: sum }] : [];
  });
}

// Both directions together, per value of `label`.
export function trafficBy(frame: Frame, label: string): Map<string, Float64Array> {
  const group = (labels: LabelSet) => (leadsOut(labels) ? labels[label] ?? '' : null);
  const [received, sent] = networkMetrics.map((name) =>
    sumBy(named(frame, name), frame.stepMs, perSecond, group));
  const both = new Map(received);
  for (const [host, values] of sent ?? []) {
    const sum = both.get(host);
    if (sum) addInto(sum, values);
    else both.set(host, values);
  }
  return both;
}
