import { render } from 'preact';
import './styles/colours.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/range.css';
import './styles/panel.css';
import './styles/table.css';
import './styles/explore.css';
import './styles/alerts.css';
import { listenToHistory } from './address/location.ts';
import { App } from './app.tsx';
import { startLive } from './live/start.ts';
import { applyTheme } from './shell/theme.ts';

applyTheme();
listenToHistory();
startLive();
const holder = document.getElementById('app');
if (holder) render(<App />, holder);
