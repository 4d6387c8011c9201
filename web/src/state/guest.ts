/* The cart of somebody who has not logged in, kept in the browser over visits, and how it joins the
 * account's. */
import { signal } from '@preact/signals';
import { CallError, call, newKey } from '../api';
import { inBrowser } from './kept';
import { tell } from './tabs';

export const QUANTITY_MAX = 99; // of one line
export const LINES_MAX = 50;

export interface GuestLine {
  food_id: number;
  name: string;
  quantity: number;
  /* What was sent to the account's cart, perhaps without an answer: the same key makes a repetition
   * harmless. What was chosen on top of it goes with another key. */
  sent?: { key: string; quantity: number };
}

function isLine(line: Partial<GuestLine> | null): boolean {
  return Number.isSafeInteger(line?.food_id) && typeof line?.name === 'string'
    && Number.isSafeInteger(line.quantity) && line.quantity! > 0 && line.quantity! <= QUANTITY_MAX;
}

/* Anything may stand there: a past version of this page wrote it, or a curious customer. */
export function keptLines(): GuestLine[] {
  const kept = inBrowser.get<GuestLine[]>('cart');
  return Array.isArray(kept) ? kept.filter(isLine).slice(0, LINES_MAX) : [];
}

export const guest = signal<GuestLine[]>(keptLines());

export function setGuest(next: GuestLine[]) {
  guest.value = next;
  inBrowser.set('cart', next.length ? next : null);
  tell('cart', next);
}

/* false: the cart is full. */
export function setGuestQuantity({ id, name }: { id: number; name: string }, quantity: number): boolean {
  const had = guest.peek();
  const has = had.some((line) => line.food_id === id);
  if (!has && had.length >= LINES_MAX)
    return false;
  const next = has ? had.map((line) => (line.food_id === id ? { ...line, name, quantity } : line))
    : [...had, { food_id: id, name, quantity }];
  setGuest(next.filter((line) => line.quantity > 0));
  return true;
}

/* Once a line was taken, what is left of it is what was chosen since. */
function takeOut(taken: GuestLine[]) {
  const kept = guest.peek().map((line) => {
    const { sent } = taken.find((other) => other.food_id === line.food_id) ?? {};
    return sent ? { food_id: line.food_id, name: line.name, quantity: line.quantity - sent.quantity } : line;
  });
  setGuest(kept.filter((line) => line.quantity > 0));
}

export interface Joined {
  lost: string[]; // the dishes that the account's cart did not take
  isWhole: boolean; // false: the rest stays for the next time
  finish: () => void; // takes out what was sent: together with showing the account's cart
}

async function sendLines(): Promise<Joined> {
  const lost: string[] = [];
  const done: GuestLine[] = [];
  const finish = () => takeOut(done);
  if (inBrowser.get('known'))
    guest.value = keptLines(); // another tab may have been faster
  setGuest(guest.peek().map((line) => ({ ...line, sent: line.sent ?? { key: newKey(), quantity: line.quantity } })));
  for (const line of guest.peek()) {
    try {
      await call('post', '/api/cart/items', {
        body: { food_id: line.food_id, quantity: line.sent!.quantity }, key: line.sent!.key });
    } catch (error) {
      if (!(error instanceof CallError) || ![404, 409, 422].includes(error.status))
        return { lost, isWhole: false, finish };
      lost.push(line.name);
    }
    done.push(line);
  }
  return { lost, isWhole: true, finish };
}

/* Adds the lines to the account's cart, in one tab at a time where the browser can say so. */
export async function sendGuest(): Promise<Joined> {
  return navigator.locks ? await navigator.locks.request('servery.join', sendLines) : await sendLines();
}
