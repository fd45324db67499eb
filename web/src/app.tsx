// The shell round every page: navigation, range, connection state.
import { route } from './address/location.ts';
import { AlertsPage } from './pages/alerts.tsx';
import { ExplorePage } from './pages/explore.tsx';
import { HostPage } from './pages/host.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { StatusPage } from './pages/status.tsx';
import { TargetsPage } from './pages/targets.tsx';
import { UnknownPage } from './pages/unknown.tsx';
import { ConnectionBanner, LiveMark } from './shell/connection_state.tsx';
import { Nav } from './shell/nav.tsx';
import { RangePicker } from './shell/range_picker.tsx';

// Pages that tell the present have no range.
const hasRange = (page: string) => page !== 'status' && page !== 'targets' && page !== 'alerts';

function Page() {
  const current = route.value;
  switch (current.page) {
    case 'overview': return <OverviewPage />;
    case 'host': return <HostPage instance={current.instance} />;
    case 'explore': return <ExplorePage />;
    case 'targets': return <TargetsPage />;
    case 'alerts': return <AlertsPage view={current.view} />;
    case 'status': return <StatusPage />;
    case 'unknown': return <UnknownPage />;
  }
}

export function App() {
  return (
    <div class="shell">
      <a class="skip" href="#main">Skip to the content</a>
      <Nav />
      <div class="stage">
        <header class="topbar"><LiveMark />{hasRange(route.value.page) && <RangePicker />}</header>
        <ConnectionBanner />
        <main id="main" tabIndex={-1}><Page /></main>
      </div>
    </div>
  );
}
