// Firing and pending alerts by name, the worst first, with what one can do about each.
import { useSignal } from '@preact/signals';
import { search } from '../address/location.ts';
import { type Alert, type AlertGroup, type AlertState, askAlerts, groupAlerts, unacknowledge } from '../data/alerts.ts';
import { formatAge, formatValue } from '../data/format.ts';
import type { LabelSet } from '../data/frame.ts';
import { usePolled } from '../data/polled.ts';
import { serverNowMs } from '../live/server_time.ts';
import { seriesText } from '../pages/explore.tsx';
import { seconds } from '../shell/seconds.ts';
import { AcknowledgeForm, SilenceForm } from './act_form.tsx';
import { Problem, TablePanel } from './table_panel.tsx';

const mostRows = 300;

function toneOf(state: AlertState, severity: string): string {
  if (state === 'firing') return severity === 'info' || severity === 'none' ? 'badge-warn' : 'badge-bad';
  return state === 'pending' ? 'badge-warn' : '';
}

function without(labels: LabelSet, ...names: string[]): LabelSet {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !names.includes(name)));
}

function Actions({ alert, open, done }: { alert: Alert; open: (form: 'silence' | 'acknowledge') => void; done: () => void }) {
  const error = useSignal('');
  if (alert.id === '') return <span class="cell-detail">not told yet</span>;
  const takeBack = () => unacknowledge(alert.id).then(done, (reason: unknown) => { error.value = String(reason); });
  return (
    <div class="actions">
      {alert.state === 'acknowledged'
        ? <button type="button" class="button" onClick={takeBack}>Take back</button>
        : <button type="button" class="button" onClick={() => open('acknowledge')}>Acknowledge</button>}
      <button type="button" class="button" onClick={() => open('silence')}>Silence</button>
      {error.value !== '' && <span class="form-problem" role="alert">{error.value}</span>}
    </div>
  );
}

function AlertRow({ alert, again }: { readonly alert: Alert; readonly again: () => void }) {
  const form = useSignal<'' | 'silence' | 'acknowledge'>('');
  const close = () => { form.value = ''; };
  const labels = seriesText(without(alert.labels, 'alertname', 'severity'));
  return (
    <>
      <tr>
        <th scope="row">{alert.text || labels}
          {alert.text !== '' && labels !== '{}' && <span class="cell-detail code">{labels}</span>}
          {alert.runbook !== '' && <span class="cell-detail"><a href={alert.runbook}>Runbook</a></span>}</th>
        <td><span class={`badge ${toneOf(alert.state, alert.severity)}`}>{alert.state}</span>{alert.flapping && <span class="badge badge-warn">flapping</span>}
          {alert.detail !== '' && <span class="cell-detail">{alert.detail}</span>}</td>
        <td class="number">{formatAge(Math.max(0, (serverNowMs() - alert.sinceMs) / 1000))}</td>
        <td class="number only-wide">{formatValue(alert.value, 'number')}</td>
        <td><Actions alert={alert} open={(which) => (form.value = which)} done={again} /></td>
      </tr>
      {form.value !== '' && <tr><td colSpan={5}>
        {form.value === 'silence' ? <SilenceForm alert={alert} done={again} close={close} /> : <AcknowledgeForm alert={alert} done={again} close={close} />}
      </td></tr>}
    </>
  );
}

function GroupPanel({ group, again }: { readonly group: AlertGroup; readonly again: () => void }) {
  const severities = [...new Set(group.alerts.map(({ severity }) => severity).filter(Boolean))].join(', ');
  return (
    <TablePanel title={group.name} name={`Alerts ${group.name}`} hint={[severities, `${group.alerts.length}`].filter(Boolean).join(' · ')}
      heads={['What', 'State', 'Since', 'Value', '']} numbers={[2, 3]} wide={[3]}>
      {group.alerts.slice(0, mostRows).map((alert) => <AlertRow key={alert.id || seriesText(alert.labels)} alert={alert} again={again} />)}
    </TablePanel>
  );
}

export function ActiveAlerts() {
  const { value, error, again } = usePolled(askAlerts);
  const words = (search.value.get('filter') ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  seconds.value;
  const groups = groupAlerts(value ?? [], words);
  return (
    <>
      <Problem error={error} />
      <div class="panels">
        {groups.map((group) => <GroupPanel key={group.name} group={group} again={again} />)}
        {value !== null && groups.length === 0 && (
          <section class="panel panel-note panel-first" aria-label="No alerts"><h2>{words.length > 0 ? 'No alert has these words' : 'Nothing is wrong'}</h2>
            <p>{words.length > 0 ? 'Change the filter.' : 'No alert is firing or pending.'}</p></section>)}
      </div>
    </>
  );
}
