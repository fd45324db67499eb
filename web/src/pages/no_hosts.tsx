// Before the first host reports.
import { PageHead } from '../shell/page_head.tsx';

interface NoHostsProps {
  readonly title: string;
  readonly loading: boolean;
  readonly error: string | null;
}

export function NoHosts({ title, loading, error }: NoHostsProps) {
  return (
    <>
      <PageHead title={title} detail="" />
      {loading ? (
        <div class="panels" role="status" aria-label="Loading">
          {[0, 1, 2, 3].map((i) => <div key={i} class="panel"><div class="chart chart-skeleton" /></div>)}
        </div>
      ) : (
        <section class="panel panel-note panel-first">
          <h2>{error === null ? 'No host has reported in this range' : 'The hosts could not be read'}</h2>
          {error === null ? (
            <>
              <p>The server measures its own host every second; its first figures show up here within moments.</p>
              <p>If they do not: widen the time range above, and check that <code>collect.host.enabled</code> is not off in the server’s configuration, and look at its log.</p>
            </>
          ) : <p role="alert">{error}</p>}
        </section>
      )}
    </>
  );
}
