/* The cart: the account's, kept by the server, or that of somebody who has not logged in, kept in the
 * browser until it joins the account's. Both are shown alike. A change is shown at once and then sent;
 * the server's answer, with its prices, is what stays. */
import { computed, effect, signal } from '@preact/signals';
import { type Cart, type CartLine, CallError, type Food, call, newKey } from '../api';
import { explain } from '../words';
import { whenReachedAgain } from './connection';
import { inBrowser } from './kept';
import { foodById, foods } from './menu';
import { me } from './session';
import { listen, tell } from './tabs';
import { toast } from './toast';

export const QUANTITY_MAX = 99; // of one line
export const LINES_MAX = 50;

interface GuestLine { food_id: number; name: string; quantity: number; key?: string }

/* The account's cart as the server last told it; null: not there yet, or nobody is logged in. */
export const account = signal<Cart | null>(null);
const guest = signal<GuestLine[]>(inBrowser.get<GuestLine[]>('cart') ?? []);

/* Quantities that were chosen and are not confirmed yet, by food. */
const wanted = signal<ReadonlyMap<number, { name: string; quantity: number }>>(new Map());

/* Why the last change of a food was refused, until its next one. */
export const refusals = signal<ReadonlyMap<number, string>>(new Map());

function without<V>(map: ReadonlyMap<number, V>, id: number): Map<number, V> {
  const copy = new Map(map);
  copy.delete(id);
  return copy;
}

/* ---- What is shown ---- */

function lineOf(food: Food | undefined, id: number, name: string, quantity: number): CartLine {
  const price = food?.price ?? 0;
  let problem: CartLine['problem'] = null;
  if (!food?.available)
    problem = 'unavailable';
  else if (food.stock !== null && food.stock < quantity)
    problem = 'out_of_stock';
  return {
    food_id: id, name: food?.name ?? name, image_url: food?.image_url ?? null, quantity,
    unit_price: price, line_total: price * quantity, problem,
  };
}

function guestLines(): CartLine[] {
  return foods.value === null ? [] : guest.value.map(({ food_id, name, quantity }) =>
    lineOf(foodById.value.get(food_id), food_id, name, quantity));
}

function accountLines(): CartLine[] {
  const rest = new Map(wanted.value);
  const lines = (account.value?.items ?? []).map((line) => {
    const wish = rest.get(line.food_id);
    rest.delete(line.food_id);
    return wish ? { ...line, quantity: wish.quantity, line_total: line.unit_price * wish.quantity } : line;
  });
  for (const [id, { name, quantity }] of rest)
    lines.push(lineOf(foodById.value.get(id), id, name, quantity));
  return lines.filter((line) => line.quantity > 0);
}

export const lines = computed(() => (me.value ? accountLines() : guestLines()));
export const total = computed(() => lines.value.reduce((sum, line) => sum + line.line_total, 0));
export const count = computed(() => lines.value.reduce((sum, line) => sum + line.quantity, 0));
export const hasProblem = computed(() => lines.value.some((line) => line.problem));

/* The server has confirmed all that is shown. */
export const isSettled = computed(() => wanted.value.size === 0);

/* Whether the cart is known: not so while the account's, or the menu that prices a guest's, is read. */
export const isLoaded = computed(() => (me.value ? account.value !== null
  : me.value === null && (foods.value !== null || guest.value.length === 0)));

export function quantityOf(foodId: number): number {
  return lines.value.find((line) => line.food_id === foodId)?.quantity ?? 0;
}

/* ---- Changing it ---- */

function setGuest(next: GuestLine[]) {
  guest.value = next;
  inBrowser.set('cart', next.length ? next : null);
  tell('cart', null);
}

export function setAccount(cart: Cart) {
  account.value = cart;
}

export async function loadCart() {
  if (me.peek())
    setAccount(await call('get', '/api/cart'));
}

function setGuestQuantity(food: { id: number; name: string }, quantity: number) {
  const has = guest.peek().some((line) => line.food_id === food.id);
  if (!has && guest.peek().length >= LINES_MAX) {
    refuse(food.id, `A cart holds ${LINES_MAX} different dishes. Take one out first.`);
    return;
  }
  const changed = { food_id: food.id, name: food.name, quantity };
  setGuest((has ? guest.peek().map((line) => (line.food_id === food.id ? changed : line))
    : [...guest.peek(), changed]).filter((line) => line.quantity > 0));
}

function refuse(id: number, words: string) {
  refusals.value = new Map(refusals.peek()).set(id, words);
}

/* The session has ended: what was being added waits in the browser for the next log-in. */
function keepForLater(id: number, { name, quantity }: { name: string; quantity: number }) {
  const had = account.peek()?.items.find((line) => line.food_id === id)?.quantity ?? 0;
  if (quantity > had)
    setGuest([...guest.peek().filter((line) => line.food_id !== id),
      { food_id: id, name, quantity: quantity - had }]);
}

let sending: Promise<void> | null = null;

async function send() {
  for (;;) {
    const [next] = wanted.peek();
    if (!next)
      return;
    const [id, wish] = next;
    try {
      setAccount(await call('put', '/api/cart/items/{id}', { id, body: { quantity: wish.quantity } }));
      if (wanted.peek().get(id) === wish)
        wanted.value = without(wanted.peek(), id);
      tell('cart', null);
    } catch (error) {
      wanted.value = without(wanted.peek(), id);
      if (error instanceof CallError && error.status === 401) {
        keepForLater(id, wish);
      } else {
        refuse(id, explain(error));
        await loadCart().catch(() => {});
      }
    }
  }
}

/* Shown at once; quick taps add up and are sent one after the other. */
export function setQuantity(food: { id: number; name: string }, quantity: number) {
  const wish = Math.min(Math.max(quantity, 0), QUANTITY_MAX);
  refusals.value = without(refusals.peek(), food.id);
  if (!me.peek()) {
    setGuestQuantity(food, wish);
    return;
  }
  wanted.value = new Map(wanted.peek()).set(food.id, { name: food.name, quantity: wish });
  sending ??= send().finally(() => { sending = null; });
}

/* Resolves when the server has answered all changes. */
export async function settled() {
  await sending;
}

/* ---- Joining ---- */

/* What a visitor had chosen is added to his account's cart, each line once: its key makes a repetition
 * harmless. What cannot be had is named and left out. */
async function join() {
  const lost: string[] = [];
  for (const line of guest.peek().map((each) => ({ ...each, key: each.key ?? newKey() }))) {
    setGuest(guest.peek().map((other) => (other.food_id === line.food_id ? line : other)));
    try {
      setAccount(await call('post', '/api/cart/items', {
        body: { food_id: line.food_id, quantity: line.quantity }, key: line.key }));
    } catch (error) {
      if (!(error instanceof CallError) || ![404, 409, 422].includes(error.status))
        break; // no connection, or the session is over: it stays for the next time
      lost.push(line.name);
    }
    setGuest(guest.peek().filter((other) => other.food_id !== line.food_id));
  }
  if (lost.length)
    toast(`Could not be added to your cart any more: ${lost.join(', ')}. The rest is there.`, { kind: 'bad' });
}

let joining: Promise<void> | null = null;

/* The account's cart, with what was chosen before logging in. */
export function enter(): Promise<void> {
  joining ??= (async () => {
    if (guest.peek().length)
      await join();
    await loadCart();
  })().finally(() => { joining = null; });
  return joining;
}

export function keepCartFresh() {
  const refresh = () => {
    if (!document.hidden && !sending)
      void enter().catch(() => {});
  };
  effect(() => {
    if (me.value) {
      refresh();
    } else {
      account.value = null;
      wanted.value = new Map();
    }
  });
  document.addEventListener('visibilitychange', refresh);
  whenReachedAgain(refresh);
  listen('cart', () => {
    guest.value = inBrowser.get<GuestLine[]>('cart') ?? [];
    if (me.peek() && !sending)
      void loadCart().catch(() => {});
  });
}
