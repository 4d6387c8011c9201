/* A word that floats on the page for a few seconds, perhaps with a way back ("Undo"). */
import { signal } from '@preact/signals';

export interface Toast {
  id: number;
  text: string;
  kind: 'good' | 'bad' | 'plain';
  action?: { label: string; run: () => void };
}

const SHOWN_MS = 7000;

/* Signs in a name that would turn round the words beside it. */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;

export const toasts = signal<Toast[]>([]);
let last = 0;

export function dismiss(id: number) {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/* Returns the id to dismiss it by. */
export function toast(text: string, more: Partial<Omit<Toast, 'id' | 'text'>> = {}): number {
  const id = ++last;
  const plain = text.replace(TURNING, '');
  const others = toasts.value.filter((other) => other.text !== plain).slice(-2);
  toasts.value = [...others, { id, text: plain, kind: 'plain', ...more }];
  setTimeout(() => dismiss(id), SHOWN_MS);
  return id;
}
