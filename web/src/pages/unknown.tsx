import { addressOf, followLink } from '../address/location.ts';
import { PageHead } from '../shell/page_head.tsx';

export function UnknownPage() {
  return (
    <>
      <PageHead title="No such page" detail="" />
      <section class="panel panel-note panel-first">
        <p>Nothing lives at this address. <a href={addressOf('/')} onClick={followLink}>Go to the overview</a>.</p>
      </section>
    </>
  );
}
