// The time range of all charts: follow the present over a length, or a fixed span.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { setTimeRange, timeRange } from '../address/location.ts';
import { durationInWords } from '../address/duration.ts';
import { type TimeRange, between, defaultRange, presets, rangeLengthMs } from '../address/range.ts';
import { serverNowMs } from '../live/server_time.ts';
import { Icon } from './icons.tsx';

const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const timeFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const exactFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

function rangeText(range: TimeRange): string {
  if (range.kind === 'last') return `Last ${durationInWords(range.ms).replace(/^1 /, '')}`;
  const { fromMs, toMs } = range;
  const time = toMs - fromMs < 600_000 ? exactFormat : timeFormat;
  const [fromDay, toDay] = [dayFormat.format(fromMs), dayFormat.format(toMs)];
  const to = fromDay === toDay ? time.format(toMs) : `${toDay} ${time.format(toMs)}`;
  return `${fromDay} ${time.format(fromMs)} – ${to}`;
}

// The text that <input type="datetime-local"> takes: local time without a zone.
function localText(ms: number): string {
  const shifted = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}

function FixedRange({ onDone }: { onDone: () => void }) {
  const range = timeRange.peek();
  const toMs = range.kind === 'between' ? range.toMs : serverNowMs();
  const from = useSignal(localText(toMs - rangeLengthMs(range)));
  const to = useSignal(localText(toMs));
  const problem = useSignal('');
  const apply = (event: Event) => {
    event.preventDefault();
    const chosen = between(Date.parse(from.value), Date.parse(to.value));
    if (!chosen) {
      problem.value = 'The start must lie before the end, by at most 400 days.';
      return;
    }
    setTimeRange(chosen);
    onDone();
  };
  return (
    <form class="range-fixed" onSubmit={apply}>
      <label>From<input type="datetime-local" step="1" required value={from.value} onInput={(e) => (from.value = e.currentTarget.value)} /></label>
      <label>To<input type="datetime-local" step="1" required value={to.value} onInput={(e) => (to.value = e.currentTarget.value)} /></label>
      {problem.value && <p class="form-problem" role="alert">{problem.value}</p>}
      <button type="submit" class="button button-main">Apply</button>
    </form>
  );
}

export function RangePicker() {
  const open = useSignal(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const range = timeRange.value;
  const close = () => (open.value = false);

  useEffect(() => {
    if (!open.value) return;
    const outside = (event: Event) => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) close();
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      close();
      button.current?.focus();
    };
    addEventListener('pointerdown', outside);
    addEventListener('focusin', outside);
    addEventListener('keydown', escape);
    return () => {
      removeEventListener('pointerdown', outside);
      removeEventListener('focusin', outside);
      removeEventListener('keydown', escape);
    };
  }, [open.value]);

  return (
    <div class="range" ref={box}>
      {range.kind === 'between' && (
        <button type="button" class="button" onClick={() => setTimeRange(defaultRange)}>Back to live</button>
      )}
      <button type="button" class="button range-button" ref={button} aria-haspopup="dialog"
        aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
        <Icon name="clock" /><span>{rangeText(range)}</span><Icon name="down" />
      </button>
      {open.value && (
        <div class="range-menu" role="dialog" aria-label="Time range">
          <div class="range-presets">
            {presets.map((ms) => (
              <button key={ms} type="button" class="button" aria-pressed={range.kind === 'last' && range.ms === ms}
                onClick={() => { setTimeRange({ kind: 'last', ms }); close(); }}>
                {durationInWords(ms)}
              </button>
            ))}
          </div>
          <FixedRange onDone={close} />
        </div>
      )}
    </div>
  );
}
