// A panel with a table in it, and what stands above one that could not be filled.
import type { ComponentChildren } from 'preact';

interface TablePanelProps {
  readonly title: string;
  readonly name?: string;  // for screen readers, where the title alone does not say it
  readonly hint: string;
  readonly heads: readonly string[];
  readonly numbers?: readonly number[];  // columns
  readonly wide?: readonly number[];     // columns that a phone does without
  readonly children: ComponentChildren;
  readonly below?: ComponentChildren;
}

export function TablePanel({ title, name = title, hint, heads, numbers = [], wide = [], children, below }: TablePanelProps) {
  const look = (at: number) => `${numbers.includes(at) ? 'number' : ''} ${wide.includes(at) ? 'only-wide' : ''}`;
  return (
    <section class="panel panel-wide" aria-label={name}>
      <header class="panel-head"><h2>{title}</h2><span class="panel-hint">{hint}</span></header>
      <div class="table-box" tabIndex={0} role="region" aria-label={`${name}, scrollable`}>
        <table>
          <thead><tr>{heads.map((head, at) => <th key={head} scope="col" class={look(at)}>{head}</th>)}</tr></thead>
          <tbody>{children}</tbody>
        </table>
      </div>
      {below}
    </section>
  );
}

export function Problem({ error }: { readonly error: string | null }) {
  return error === null ? null : <p class="banner banner-bad" role="alert">{error}</p>;
}

export function Nothing({ what }: { readonly what: string }) {
  return <p class="panel-note">{what}</p>;
}
