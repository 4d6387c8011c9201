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
  /* What will be sent to the account's cart. All tabs know its key before anybody logs in, so that
   * they may all send it, and again without an answer: it counts once. Once that has begun it stays
   * as it is, and what is chosen on top of it goes with another key. */
  wish: { key: string; quantity: number; begun?: boolean };
}

function isLine(line: Partial<GuestLine> | null): boolean {
  return Number.isSafeInteger(line?.food_id) && typeof line?.name === 'string'
    && Number.isSafeInteger(line.quantity) && line.quantity! > 0 && line.quantity! <= QUANTITY_MAX
    && /^[\da-f]{32}$/.test(String(line.wish?.key)) && Number.isSafeInteger(line.wish!.quantity);
}

/* Anything may stand there: a past version of this page wrote it, or a curious customer. */
export function keptLines(): GuestLine[] {
  const kept = inBrowser.get<GuestLine[]>('cart');
  const lines = Array.isArray(kept) ? kept.filter(isLine) : [];
  return [...new Map(lines.map((line) => [line.food_id, line])).values()].slice(0, LINES_MAX);
}

export const guest = signal<GuestLine[]>(keptLines());

export function setGuest(next: GuestLine[]) {
  guest.value = next;
  inBrowser.set('cart', next.length ? next : null);
  tell('cart', next);
}

function lineOf({ id, name }: { id: number; name: string }, quantity: number, had?: GuestLine): GuestLine {
  const wish = had?.wish.begun ? had.wish : { key: newKey(), quantity };
  return { food_id: id, name, quantity, wish };
}

/* false: the cart is full. */
export function setGuestQuantity(food: { id: number; name: string }, quantity: number): boolean {
  const lines = guest.peek();
  const had = lines.find((line) => line.food_id === food.id);
  if (!had && lines.length >= LINES_MAX)
    return false;
  const next = lineOf(food, quantity, had);
  setGuest((had ? lines.map((line) => (line === had ? next : line)) : [...lines, next])
    .filter((line) => line.quantity > 0));
  return true;
}

/* Once a line was taken, what is left of it is what was chosen since. */
function takeOut(taken: GuestLine[]) {
  const kept = guest.peek().map((line) => {
    const { wish } = taken.find((other) => other.wish.key === line.wish.key) ?? {};
    return wish ? lineOf({ id: line.food_id, name: line.name }, line.quantity - wish.quantity) : line;
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
  setGuest(guest.peek().map((line) => ({ ...line, wish: { ...line.wish, begun: true } })));
  for (const line of guest.peek()) {
    try {
      await call('post', '/api/cart/items', {
        body: { food_id: line.food_id, quantity: line.wish.quantity }, key: line.wish.key });
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
