// What is wrong and who looks after it; silences, history, who is told, and the rules that say so.
import { addressOf, followLink, search, setParam } from '../address/location.ts';
import { type AlertView, alertViews } from '../address/route.ts';
import { ActiveAlerts } from '../alerts/active.tsx';
import { History, Receivers, Rules, Silences } from '../alerts/lists.tsx';
import { PageHead } from '../shell/page_head.tsx';

const names: Record<AlertView, string> = { active: 'Active', silences: 'Silences', history: 'History', receivers: 'Receivers', rules: 'Rules' };

function View({ view }: { readonly view: AlertView }) {
  switch (view) {
    case 'active': return <ActiveAlerts />;
    case 'silences': return <Silences />;
    case 'history': return <History />;
    case 'receivers': return <Receivers />;
    case 'rules': return <Rules />;
  }
}

export function AlertsPage({ view }: { readonly view: AlertView }) {
  return (
    <>
      <PageHead title="Alerts" detail="">
        <nav class="views" aria-label="Views of alerts">
          {alertViews.map((name) => (
            <a key={name} class="button" href={addressOf(name === 'active' ? '/alerts' : `/alerts/${name}`)} onClick={followLink}
              aria-current={view === name ? 'page' : undefined}>{names[name]}</a>))}
        </nav>
        {view === 'active' && <input type="search" placeholder="Filter" aria-label="Filter alerts" value={search.value.get('filter') ?? ''}
          onInput={(event) => setParam('filter', event.currentTarget.value, true)} />}
      </PageHead>
      <View view={view} />
    </>
  );
}
