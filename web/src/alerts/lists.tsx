// Silences, history, receivers and rules.
import { useSignal } from '@preact/signals';
import {
  type HistoryEntry, type Receiver, type Rule, type RuleGroup, type Silence, type TestResult,
  askHistory, askReceivers, askRules, askSilences, expireSilence, matcherText, testReceiver,
} from '../data/alerts.ts';
import { formatAge, formatValue } from '../data/format.ts';
import { usePolled } from '../data/polled.ts';
import { serverNowMs } from '../live/server_time.ts';
import { seriesText } from '../pages/explore.tsx';
import { seconds } from '../shell/seconds.ts';
import { Nothing, Problem, TablePanel } from './table_panel.tsx';

const clock = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

const textOf = (reason: unknown) => (reason instanceof Error ? reason.message : String(reason));

function SilenceRow({ silence, again }: { readonly silence: Silence; readonly again: () => void }) {
  const error = useSignal('');
  const left = (Date.parse(silence.endsAt) - serverNowMs()) / 1000;
  const end = () => expireSilence(silence.id).then(again, (reason: unknown) => { error.value = textOf(reason); });
  return (
    <tr>
      <th scope="row"><span class="code">{silence.matchers.map(matcherText).join(', ')}</span>
        <span class="cell-detail">{[silence.comment, silence.createdBy && `by ${silence.createdBy}`].filter(Boolean).join(', ')}</span></th>
      <td><span class={`badge ${silence.status.state === 'active' ? 'badge-good' : 'badge-warn'}`}>{silence.status.state}</span></td>
      <td class="number">{formatAge(left)}</td>
      <td class="number only-wide">{clock.format(Date.parse(silence.endsAt))}</td>
      <td><div class="actions"><button type="button" class="button" onClick={end}>End now</button></div>
        {error.value !== '' && <span class="form-problem" role="alert">{error.value}</span>}</td>
    </tr>
  );
}

export function Silences() {
  const { value, error, again } = usePolled(askSilences);
  seconds.value;
  return (
    <>
      <Problem error={error} />
      <div class="panels">
        <TablePanel title="Silences" hint={value === null ? '' : `${value.length}`} heads={['What', 'State', 'Left', 'Ends', '']} numbers={[2, 3]} wide={[3]}
          below={value?.length === 0 && <Nothing what="Nothing is silenced. The Silence button of an alert makes one." />}>
          {value?.map((silence) => <SilenceRow key={silence.id} silence={silence} again={again} />)}
        </TablePanel>
      </div>
    </>
  );
}

const badKinds = ['firing', 'failed', 'escalated'];

function HistoryRow({ entry }: { readonly entry: HistoryEntry }) {
  const labels = seriesText(entry.labels);
  const tone = badKinds.includes(entry.kind) ? 'badge-bad' : entry.kind === 'resolved' ? 'badge-good' : '';
  return (
    <tr>
      <th scope="row">{clock.format(Date.parse(entry.time))}</th>
      <td><span class={`badge ${tone}`}>{entry.kind}</span></td>
      <td>{entry.text}<span class="cell-detail code">{labels === '{}' ? entry.groupKey : labels}</span></td>
      <td class="only-wide">{entry.receiver}</td>
    </tr>
  );
}

const newest = () => askHistory();

export function History() {
  const { value, error } = usePolled(newest);
  const older = useSignal<readonly HistoryEntry[]>([]);
  const problem = useSignal<string | null>(null);
  const known = older.value.length > 0 ? older.value : value ?? [];
  const last = known[known.length - 1];
  const first = older.value[0];
  // What came meanwhile moves the newest page: its lines that stand in the older ones are not shown twice.
  const shown = [...(value ?? []).filter((entry) => !first || entry.id > first.id), ...older.value];
  const more = () => askHistory(last?.id).then(
    (entries) => { older.value = [...older.value, ...entries]; problem.value = null; },
    (reason: unknown) => { problem.value = textOf(reason); });
  return (
    <>
      <Problem error={error ?? problem.value} />
      <div class="panels">
        <TablePanel title="History" hint="newest first" heads={['Time', 'What', 'Of', 'Receiver']} wide={[3]}
          below={shown.length === 0 ? value !== null && <Nothing what="Nothing has happened yet." />
            : last && last.id > 1 && <div class="actions"><button type="button" class="button" onClick={more}>Older</button></div>}>
          {shown.map((entry) => <HistoryRow key={entry.id} entry={entry} />)}
        </TablePanel>
      </div>
    </>
  );
}

function ReceiverRow({ receiver }: { readonly receiver: Receiver }) {
  const results = useSignal<readonly TestResult[] | null>(null);
  const error = useSignal('');
  const busy = useSignal(false);
  const test = () => {
    busy.value = true;
    error.value = '';
    testReceiver(receiver.name).then((found) => { results.value = found; }, (reason: unknown) => { error.value = textOf(reason); })
      .finally(() => { busy.value = false; });
  };
  return (
    <tr>
      <th scope="row">{receiver.name}</th>
      <td>{receiver.integrations.map(({ kind }) => kind).join(', ') || 'nobody is told'}
        {results.value?.map(({ integration, sent, error: why }) => (
          <span key={integration} role="status" class={`cell-detail ${sent ? '' : 'cell-bad'}`}>{integration}: {sent ? 'sent' : why}</span>))}
        {error.value !== '' && <span class="cell-detail cell-bad" role="alert">{error.value}</span>}</td>
      <td><div class="actions"><button type="button" class="button" disabled={busy.value || receiver.integrations.length === 0} onClick={test}>Test</button></div></td>
    </tr>
  );
}

export function Receivers() {
  const { value, error } = usePolled(askReceivers);
  return (
    <>
      <Problem error={error} />
      <div class="panels">
        <TablePanel title="Receivers" hint="who is told" heads={['Receiver', 'By', '']}>
          {value?.map((receiver) => <ReceiverRow key={receiver.name} receiver={receiver} />)}
        </TablePanel>
      </div>
    </>
  );
}

function stateOf(rule: Rule): [string, string] {
  if (rule.health === 'err') return ['failing', 'badge-bad'];
  if (rule.state === 'firing') return ['firing', 'badge-bad'];
  if (rule.state === 'pending') return ['pending', 'badge-warn'];
  return rule.health === 'unknown' ? ['not yet', 'badge-warn'] : ['ok', 'badge-good'];
}

function RuleRow({ rule }: { readonly rule: Rule }) {
  const [state, tone] = stateOf(rule);
  const at = Date.parse(rule.lastEvaluation ?? '');
  return (
    <tr>
      <th scope="row">{rule.name}<span class="cell-detail code">{rule.query}</span>
        {rule.lastError && <span class="cell-detail cell-bad">{rule.lastError}</span>}</th>
      <td><span class={`badge ${tone}`}>{state}</span></td>
      <td class="number only-wide">{at > 0 ? `${formatAge(Math.max(0, (serverNowMs() - at) / 1000))} ago` : 'never'}</td>
      <td class="number only-wide">{formatValue(rule.evaluationTime ?? NaN, 'seconds')}</td>
    </tr>
  );
}

function RulePanel({ group }: { readonly group: RuleGroup }) {
  const every = group.interval ? `every ${formatAge(group.interval)}` : '';
  return (
    <TablePanel title={group.name} name={`Rules of ${group.name}`} hint={[group.file.replace(/.*\//, ''), every].filter(Boolean).join(', ')}
      heads={['Rule', 'State', 'Evaluated', 'Took']} numbers={[2, 3]} wide={[2, 3]}>
      {group.rules.map((rule, at) => <RuleRow key={at} rule={rule} />)}
    </TablePanel>
  );
}

export function Rules() {
  const { value, error } = usePolled(askRules);
  seconds.value;
  return (
    <>
      <Problem error={error} />
      <div class="panels">
        {value?.map((group) => <RulePanel key={group.file + group.name} group={group} />)}
        {value?.length === 0 && <section class="panel panel-wide" aria-label="Rules"><Nothing what="There are no rules." /></section>}
      </div>
    </>
  );
}
