/* Whether the shop can be reached. A call that gets no answer says no; then the shop is asked until it
 * answers, and what was shown is read again by whoever listens. */
import { signal } from '@preact/signals';

const PROBE_MS = 4000;

export const reachable = signal(true);
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

/* Runs the action each time the shop can be reached again; returns how to end that. */
export function whenReachedAgain(action: () => void): () => void {
  listeners.add(action);
  return () => listeners.delete(action);
}

export function reportReached() {
  if (reachable.value)
    return;
  reachable.value = true;
  clearTimeout(timer);
  timer = undefined;
  listeners.forEach((action) => action());
}

async function probe() {
  clearTimeout(timer);
  try {
    await fetch('/healthz', { cache: 'no-store' });
    timer = undefined;
    reportReached();
  } catch {
    reachable.value = false;
    timer = setTimeout(probe, PROBE_MS);
  }
}

export function reportUnreachable() {
  reachable.value = false;
  timer ??= setTimeout(probe, PROBE_MS);
}

/* What the browser says is only a hint: a shop in the house is there without the internet. */
addEventListener('offline', probe);
addEventListener('online', probe);
