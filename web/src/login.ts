// The sign-in page: carries `next` from the address into the form and shows that the last try failed.
import './styles/login.css';
import { safeNext } from './address/next.ts';
import { applyTheme } from './shell/theme.ts';

applyTheme();
const params = new URLSearchParams(location.search);
const next = document.getElementById('next');
if (next instanceof HTMLInputElement) next.value = safeNext(params.get('next'));
const error = document.getElementById('error');
if (error && params.has('failed')) {
  error.hidden = false;
  document.getElementById('key')?.setAttribute('aria-invalid', 'true');
}
