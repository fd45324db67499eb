// Where one can go: a column beside the page, a bar below it on a phone.
import { addressOf, followLink, route } from '../address/location.ts';
import type { Route } from '../address/route.ts';
import { Icon, type IconName } from './icons.tsx';
import { ThemeSwitch } from './theme_switch.tsx';

interface Entry {
  readonly page: Route['page'];
  readonly path: string;
  readonly name: string;
  readonly icon: IconName;
}

const entries: readonly Entry[] = [
  { page: 'overview', path: '/', name: 'Overview', icon: 'overview' },
  { page: 'host', path: '/hosts', name: 'Hosts', icon: 'host' },
  { page: 'explore', path: '/explore', name: 'Explore', icon: 'explore' },
  { page: 'targets', path: '/targets', name: 'Targets', icon: 'targets' },
  { page: 'alerts', path: '/alerts', name: 'Alerts', icon: 'alerts' },
  { page: 'status', path: '/status', name: 'Status', icon: 'status' },
];

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <circle class="mark-ring" cx="16" cy="16" r="13" />
      <path class="mark-needle" d="M16 5 20 16 16 27 12 16Z" />
      <path class="mark-north" d="M16 5 20 16H12Z" />
    </svg>
  );
}

export function Nav() {
  return (
    <nav class="nav" aria-label="Pages"><div class="nav-inner">
      <a class="brand" href={addressOf('/')} onClick={followLink} aria-label="Binnacle, to the overview">
        <Mark /><span class="brand-name">Binnacle</span>
      </a>
      <ul>
        {entries.map(({ page, path, name, icon }) => (
          <li key={page}>
            <a href={addressOf(path)} onClick={followLink} class="nav-link"
              aria-current={route.value.page === page ? 'page' : undefined}>
              <Icon name={icon} /><span>{name}</span>
            </a>
          </li>
        ))}
      </ul>
      <ThemeSwitch />
    </div></nav>
  );
}
