/* A word that floats on the page for a few seconds, perhaps with a way back ("Undo"). */
import { signal } from '@preact/signals';

export interface Toast {
  id: number;
  text: string;
  kind: 'good' | 'bad' | 'plain';
  action?: { label: string; run: () => void };
}

/* How long each is shown: what is well needs a glance, what went wrong has to be read. */
const SHOWN_MS: Record<Toast['kind'], number> = { good: 4000, plain: 7000, bad: 20_000 };

export const toasts = signal<Toast[]>([]);
let last = 0;

export function dismiss(id: number) {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/* Returns the id to dismiss it by. */
export function toast(text: string, more: Partial<Omit<Toast, 'id' | 'text'>> = {}): number {
  const id = ++last;
  const others = toasts.value.filter((other) => other.text !== text).slice(-2);
  toasts.value = [...others, { id, text, kind: 'plain', ...more }];
  setTimeout(() => dismiss(id), SHOWN_MS[more.kind ?? 'plain']);
  return id;
}
