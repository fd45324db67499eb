// The forms under an alert: silence it, or say that one looks after it. The first field has the focus; Escape closes.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { parseDuration } from '../address/duration.ts';
import { type Alert, acknowledge, matcherText, silence } from '../data/alerts.ts';
import { whoAmI } from '../data/who_am_i.ts';
import { serverNowMs } from '../live/server_time.ts';

interface FormProps {
  readonly name: string;
  readonly send: () => Promise<unknown>;
  readonly done: () => void;
  readonly close: () => void;
  readonly children: ComponentChildren;
}

function ActForm({ name, send, done, close, children }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const error = useSignal('');
  const busy = useSignal(false);
  useEffect(() => form.current?.querySelector<HTMLInputElement>('input[type="text"]')?.focus(), []);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    busy.value = true;
    send().then(
      () => { done(); close(); },
      (reason: unknown) => { error.value = reason instanceof Error ? reason.message : String(reason); },
    ).finally(() => { busy.value = false; });
  };
  return (
    <form ref={form} class="act-form" aria-label={name} onSubmit={submit}
      onKeyDown={(event) => { if (event.key === 'Escape') close(); }}>
      {children}
      <button type="submit" class="button button-main" disabled={busy.value}>{name}</button>
      <button type="button" class="button" onClick={close}>Cancel</button>
      {error.value !== '' && <p class="form-problem" role="alert">{error.value}</p>}
    </form>
  );
}

interface ActProps {
  readonly alert: Alert;
  readonly done: () => void;
  readonly close: () => void;
}

export function SilenceForm({ alert, done, close }: ActProps) {
  const comment = useSignal('');
  const length = useSignal('2h');
  const by = useSignal('');
  const left = useSignal<ReadonlySet<string>>(new Set());
  useEffect(() => { void whoAmI().then((who) => { by.value ||= who.name; }, () => {}); }, []);
  const matchers = Object.entries(alert.labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }));
  const toggle = (name: string) => {
    const next = new Set(left.value);
    if (!next.delete(name)) next.add(name);
    left.value = next;
  };
  const send = async () => {
    const ms = parseDuration(length.value);
    if (ms === null) throw new Error('Write how long as 30m, 2h or 1d.');
    const kept = matchers.filter(({ name }) => !left.value.has(name));
    if (kept.length === 0) throw new Error('Keep at least one label.');
    await silence(kept, serverNowMs(), ms, by.value || 'page', comment.value);
  };
  return (
    <ActForm name="Silence" send={send} done={done} close={close}>
      <label class="grow">Why<input type="text" required value={comment.value} onInput={(event) => (comment.value = event.currentTarget.value)} /></label>
      <label>For<input type="text" required size={6} value={length.value} onInput={(event) => (length.value = event.currentTarget.value)} /></label>
      <label>By<input type="text" size={12} value={by.value} onInput={(event) => (by.value = event.currentTarget.value)} /></label>
      <fieldset><legend>What fits all of</legend>
        {matchers.map((matcher) => (
          <label key={matcher.name} class="check"><input type="checkbox" checked={!left.value.has(matcher.name)} onChange={() => toggle(matcher.name)} />
            <span class="code">{matcherText(matcher)}</span></label>))}
      </fieldset>
    </ActForm>
  );
}

export function AcknowledgeForm({ alert, done, close }: ActProps) {
  const note = useSignal('');
  const length = useSignal('');
  const send = async () => {
    if (length.value !== '' && parseDuration(length.value) === null) throw new Error('Write how long as 30m, 2h or 1d, or leave it empty.');
    await acknowledge(alert.id, note.value, length.value);
  };
  return (
    <ActForm name="Acknowledge" send={send} done={done} close={close}>
      <label class="grow">Note<input type="text" value={note.value} onInput={(event) => (note.value = event.currentTarget.value)} /></label>
      <label>For<input type="text" size={14} placeholder="while it fires" value={length.value} onInput={(event) => (length.value = event.currentTarget.value)} /></label>
    </ActForm>
  );
}
