// A signal that changes once a second while the page is in view, for ages and uptimes.
import { signal } from '@preact/signals';

export const seconds = signal(0);

setInterval(() => {
  if (!document.hidden) seconds.value++;
}, 1000);
