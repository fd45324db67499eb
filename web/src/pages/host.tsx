// One host in full.
import { useEffect, useMemo } from 'preact/hooks';
import { addressOf, followLink, openPath } from '../address/location.ts';
import { hostPath } from '../address/route.ts';
import { Panel } from '../chart/panel.tsx';
import { keepLookingAt } from '../data/look.ts';
import { useFrames } from '../data/sources.ts';
import { FileSystemTable } from '../host/file_system_table.tsx';
import { type Host, hostsIn, hostsQuery } from '../host/hosts.ts';
import { hostPanels } from '../host/panels.ts';
import { HostTiles } from '../host/tiles.tsx';
import { NoHosts } from './no_hosts.tsx';
import { PageHead } from '../shell/page_head.tsx';

function HostChoice({ hosts, instance }: { hosts: readonly Host[]; instance: string }) {
  if (hosts.length < 2) return null;
  return (
    <label class="field">
      <span class="visually-hidden">Host</span>
      <select value={instance} onChange={(event) => openPath(addressOf(hostPath(event.currentTarget.value)))}>
        {hosts.map((host) => <option key={host.instance} value={host.instance}>{host.name}</option>)}
      </select>
    </label>
  );
}

// The address names a host of which nothing is known in this range.
function SilentHost({ instance, hosts }: { instance: string; hosts: readonly Host[] }) {
  return (
    <>
      <PageHead title={instance} detail="" />
      <section class="panel panel-note panel-first">
        <h2>This host has not reported in this range</h2>
        <p>Widen the time range above, or check that the agent on it runs and reaches this server.</p>
        {hosts.length > 0 && <p>Reporting: {hosts.slice(0, 20).map((host, i) => (
          <>{i > 0 && ', '}<a key={host.instance} href={addressOf(hostPath(host.instance))} onClick={followLink}>{host.name}</a></>
        ))}</p>}
      </section>
    </>
  );
}

export function HostPage({ instance }: { readonly instance: string | null }) {
  const { frames, error } = useFrames([hostsQuery]);
  const known = frames[0] ? hostsIn(frames[0]) : null;
  const shown = instance ?? known?.[0]?.instance ?? null;
  const host = known?.find((candidate) => candidate.instance === shown);
  const panels = useMemo(() => (shown === null ? [] : hostPanels(shown)), [shown]);
  useEffect(() => (shown === null ? undefined : keepLookingAt(shown)), [shown]);
  if (shown === null) return <NoHosts loading={known === null && error === null} error={error} title="Hosts" />;
  if (known && !host && error === null) return <SilentHost instance={shown} hosts={known} />;
  return (
    <>
      <PageHead title={host?.name ?? shown} detail={host?.system ?? ''}>
        <HostChoice hosts={known ?? []} instance={shown} />
      </PageHead>
      <HostTiles instance={shown} />
      <div class="panels" key={shown}>
        {panels.map((spec) => <Panel key={spec.title} spec={spec} />)}
        <FileSystemTable instance={shown} />
      </div>
    </>
  );
}
