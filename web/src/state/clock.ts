/* Deadlines are the server's, and a phone's clock may be wrong: times are compared with the
 * server's. */
import { signal } from '@preact/signals';

let skewMs = 0;

/* From the Date header of an answer; whole seconds, which is enough for what is shown. */
export function setServerTime(date: string | null) {
  const time = Date.parse(date ?? '');
  if (!Number.isNaN(time))
    skewMs = time - Date.now();
}

export function serverNow(): number {
  return Date.now() + skewMs;
}

/* Moves once a second while the page is visible; reading it makes a component follow the time. */
export const seconds = signal(0);

setInterval(() => {
  if (!document.hidden)
    seconds.value++;
}, 1000);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden)
    seconds.value++;
});
