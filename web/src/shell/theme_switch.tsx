import { chooseTheme, theme } from './colour_scheme.ts';
import { Icon, type IconName } from './icons.tsx';
import type { Theme } from './theme.ts';

const choices: readonly { value: Theme; name: string; icon: IconName }[] = [
  { value: 'light', name: 'Light', icon: 'sun' },
  { value: 'system', name: 'As the system', icon: 'system' },
  { value: 'dark', name: 'Dark', icon: 'moon' },
];

export function ThemeSwitch() {
  return (
    <fieldset class="theme-switch">
      <legend class="visually-hidden">Colours</legend>
      {choices.map(({ value, name, icon }) => (
        <label key={value} title={name}>
          <input type="radio" name="theme" value={value} checked={theme.value === value}
            class="visually-hidden" onChange={() => chooseTheme(value)} />
          <span class="theme-choice"><Icon name={icon} /><span class="visually-hidden">{name}</span></span>
        </label>
      ))}
    </fieldset>
  );
}
