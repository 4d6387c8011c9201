/* Whether the shop can be reached. A call that gets no answer says no; then the shop is asked until
 * it answers, and what was shown is read again by whoever listens. */
import { signal } from '@preact/signals';

const PROBE_MS = 4000;
const PROBE_TIMEOUT_MS = 8000;

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
    const { status } = await fetch('/healthz', {
      cache: 'no-store', signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    if (status >= 500)
      throw new Error('Only a proxy is there.');
    reportReached();
  } catch {
    reachable.value = false;
    clearTimeout(timer);
    timer = setTimeout(checkConnection, PROBE_MS);
  }
}

let probing: Promise<void> | null = null;

/* Asks the shop now; for whoever suspects that it is gone. */
export function checkConnection(): Promise<void> {
  probing ??= probe().finally(() => { probing = null; });
  return probing;
}

export function reportUnreachable() {
  reachable.value = false;
  timer ??= setTimeout(checkConnection, PROBE_MS);
}

/* What the browser says is only a hint: a shop in the house is there without the internet. */
addEventListener('offline', () => void checkConnection());
addEventListener('online', () => void checkConnection());
