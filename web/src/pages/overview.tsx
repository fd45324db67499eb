// All hosts at a glance.
import { useMemo } from 'preact/hooks';
import { Panel } from '../chart/panel.tsx';
import { useFrames } from '../data/sources.ts';
import { fleetPanels } from '../host/fleet_panels.ts';
import { HostTable, HostTableSkeleton } from '../host/host_table.tsx';
import { hostsIn, hostsQuery } from '../host/hosts.ts';
import { PageHead } from '../shell/page_head.tsx';
import { NoHosts } from './no_hosts.tsx';

export function OverviewPage() {
  const { frames, error } = useFrames([hostsQuery]);
  const hosts = frames[0] ? hostsIn(frames[0]) : null;
  const naming = JSON.stringify((hosts ?? []).map(({ instance, name }) => [instance, name]));
  const panels = useMemo(() => fleetPanels(new Map(JSON.parse(naming) as [string, string][])), [naming]);
  if (error !== null || hosts?.length === 0) return <NoHosts loading={false} error={error} title="Overview" />;
  return (
    <>
      <PageHead title="Overview" detail={!hosts ? '' : hosts.length === 1 ? '1 host' : `${hosts.length} hosts`} />
      <div class="panels">
        {hosts ? <HostTable hosts={hosts} /> : <HostTableSkeleton />}
        {panels.map((spec) => <Panel key={spec.title} spec={spec} />)}
      </div>
    </>
  );
}
