/* The cart: the account's, kept by the server, or a guest's, until it joins the account's. Both are
 * shown alike. A change is shown at once and then sent; the server's answer, with its prices, is
 * what stays. */
import { batch, computed, effect, signal } from '@preact/signals';
import { type Cart, type CartLine, CallError, call } from '../api';
import { stockWords } from '../line_words';
import { CART_FULL, ended, explain } from '../words';
import { whenReachedAgain } from './connection';
import { type GuestLine, QUANTITY_MAX, guest, sendGuest, setGuest, setGuestQuantity } from './guest';
import { foodById, foods, loadMenu } from './menu';
import { me, wasEnded } from './session';
import { listen, tell } from './tabs';
import { toast } from './toast';

export { QUANTITY_MAX };

type Dish = { id: number; name: string };
type Wish = { name: string; quantity: number };

/* The account's cart as the server last told it; null: not there yet, or nobody is logged in. */
export const account = signal<Cart | null>(null);
export const cartError = signal<unknown>(null);

/* Quantities that were chosen and are not confirmed yet, by food. */
const wanted = signal<ReadonlyMap<number, Wish>>(new Map());

/* Why the last change of a food was refused, until its next one. */
export const refusals = signal<ReadonlyMap<number, string>>(new Map());

function without<V>(map: ReadonlyMap<number, V>, id: number): Map<number, V> {
  const copy = new Map(map);
  copy.delete(id);
  return copy;
}

/* ---- What is shown ---- */

/* A line that the server has not priced: as the menu says. */
function lineOf(id: number, name: string, quantity: number): CartLine {
  const food = foodById.value.get(id);
  const price = food?.price ?? 0;
  let problem: CartLine['problem'] = null;
  if (foods.value !== null && !food?.available)
    problem = 'unavailable';
  else if (food && food.stock !== null && food.stock < quantity)
    problem = 'out_of_stock';
  return {
    food_id: id, name: food?.name ?? name, image_url: food?.image_url ?? null, quantity,
    unit_price: price, line_total: price * quantity, problem,
  };
}

function accountLines(cart: Cart): CartLine[] {
  const rest = new Map(wanted.value);
  const shown = cart.items.map((line) => {
    const wish = rest.get(line.food_id);
    rest.delete(line.food_id);
    return wish ? {
      ...line, quantity: wish.quantity, line_total: line.unit_price * wish.quantity,
      problem: line.problem && lineOf(line.food_id, line.name, wish.quantity).problem,
    } : line;
  });
  for (const [id, { name, quantity }] of rest)
    shown.push(lineOf(id, name, quantity));
  return shown.filter((line) => line.quantity > 0);
}

/* While the account's cart is not there, what is chosen waits with the guest's lines, to join
 * it. */
const isAccount = computed(() => Boolean(me.value && account.value));

export const lines = computed(() => (isAccount.value ? accountLines(account.value!)
  : guest.value.map(({ food_id, name, quantity }) => lineOf(food_id, name, quantity))));
export const total = computed(() => lines.value.reduce((sum, line) => sum + line.line_total, 0));
export const count = computed(() => lines.value.reduce((sum, line) => sum + line.quantity, 0));
export const hasProblem = computed(() => lines.value.some((line) => line.problem));

/* The server has confirmed all that is shown. */
export const isSettled = computed(() => wanted.value.size === 0);

/* Whether the cart is known: not so while the account's, or the menu that prices a guest's, is
 * read. */
export const isLoaded = computed(() => (me.value ? account.value !== null
  : me.value === null && (foods.value !== null || guest.value.length === 0)));

const quantities = computed(() => new Map(lines.value.map((line) => [line.food_id, line.quantity])));

export function quantityOf(foodId: number): number {
  return quantities.value.get(foodId) ?? 0;
}

/* ---- Reading it ---- */

let turn = 0; // the last question or answer: an answer to an older question is old

export function setAccount(cart: Cart) {
  turn++;
  batch(() => {
    account.value = cart;
    cartError.value = null;
  });
}

export async function loadCart() {
  if (!me.peek())
    return;
  const mine = ++turn;
  const cart = await call('get', '/api/cart');
  if (mine === turn)
    setAccount(cart);
}

let joining: Promise<void> | null = null;

/* What a visitor had chosen is added to his account's cart. What cannot be had is named and left
 * out. */
async function join() {
  for (let isWhole = true; isWhole && guest.peek().length && me.peek();) {
    const mine = me.peek()!.id;
    const joined = await sendGuest();
    isWhole = joined.isWhole;
    if (joined.lost.length)
      toast(`Could not be added to your cart any more: ${joined.lost.join(', ')}. The rest is there.`, { kind: 'bad' });
    const cart = await call('get', '/api/cart');
    batch(() => {
      joined.finish();
      if (me.peek()?.id === mine)
        setAccount(cart);
    });
    tell('cart', null);
  }
}

async function readAndJoin() {
  if (!guest.peek().length)
    await loadCart();
  await join();
}

/* The account's cart, with what was chosen before logging in, and while this is under way. */
export function enter(): Promise<void> {
  joining ??= readAndJoin().finally(() => { joining = null; });
  return joining;
}

function refresh() {
  if (document.hidden || sending || !me.peek())
    return;
  enter().catch((error) => { cartError.value = error; });
}

/* ---- Changing it ---- */

function refuse(id: number, words: string) {
  refusals.value = new Map(refusals.peek()).set(id, words);
}

function leftWords(id: number): string {
  return ended(stockWords(foodById.peek().get(id)?.stock ?? 0));
}

async function refused(id: number, name: string, error: unknown) {
  if (!(error instanceof CallError) || ![404, 409].includes(error.status)) {
    refuse(id, explain(error));
    return;
  }
  await Promise.all([loadMenu(), loadCart().catch(() => {})]);
  if (error.code === 'food_not_found' && !quantityOf(id))
    toast(`${name} is no longer on the menu.`, { kind: 'bad' }); // nor has it a place any more to say so
  else
    refuse(id, error.code === 'out_of_stock' ? leftWords(id) : explain(error));
}

let sending: Promise<void> | null = null;
let isTold = false; // another tab has changed the cart meanwhile

async function sendOne(id: number, wish: Wish) {
  const mine = me.peek()?.id;
  try {
    const cart = await call('put', '/api/cart/items/{id}', { id, body: { quantity: wish.quantity } });
    if (me.peek()?.id !== mine)
      return;
    batch(() => {
      setAccount(cart);
      if (wanted.peek().get(id) === wish)
        wanted.value = without(wanted.peek(), id);
    });
    tell('cart', null);
  } catch (error) {
    wanted.value = without(wanted.peek(), id);
    if (me.peek()?.id === mine)
      await refused(id, wish.name, error);
  }
}

async function send() {
  for (let [next] = wanted.peek(); next; [next] = wanted.peek())
    await sendOne(...next);
  if (isTold)
    await loadCart().catch(() => {});
  isTold = false;
}

function setGuestLine(food: Dish, quantity: number) {
  const stock = foodById.peek().get(food.id)?.stock ?? QUANTITY_MAX;
  if (quantity > quantityOf(food.id) && quantity > stock)
    refuse(food.id, leftWords(food.id));
  else if (!setGuestQuantity(food, quantity))
    refuse(food.id, CART_FULL);
  if (me.peek())
    refresh();
}

/* Shown at once; quick taps add up and are sent one after the other. */
export function setQuantity(food: Dish, quantity: number) {
  const wish = Math.min(Math.max(quantity, 0), QUANTITY_MAX);
  if (refusals.peek().has(food.id))
    refusals.value = without(refusals.peek(), food.id);
  if (!isAccount.peek()) {
    setGuestLine(food, wish);
    return;
  }
  wanted.value = new Map(wanted.peek()).set(food.id, { name: food.name, quantity: wish });
  sending ??= send().finally(() => { sending = null; });
}

/* Resolves when the server has answered all changes. */
export async function settled() {
  await sending;
}

export async function clearCart() {
  refusals.value = new Map();
  if (!isAccount.peek()) {
    setGuest([]);
    return;
  }
  wanted.value = new Map();
  await settled();
  const mine = me.peek()?.id;
  const cart = await call('delete', '/api/cart');
  if (me.peek()?.id === mine)
    setAccount(cart);
  tell('cart', null);
}

/* ---- Whose it is ---- */

/* The session has ended: what was being added waits in the browser for the next log-in. */
function keepWishes() {
  for (const [id, { name, quantity }] of wanted.peek()) {
    const had = account.peek()?.items.find((line) => line.food_id === id)?.quantity ?? 0;
    if (quantity > had)
      setGuestQuantity({ id, name }, quantity - had);
  }
}

let whose: number | null = null;

function change(id: number | null) {
  if (id === whose)
    return;
  if (id === null && wasEnded.peek())
    keepWishes();
  whose = id;
  turn++;
  batch(() => {
    account.value = null;
    cartError.value = null;
    wanted.value = new Map();
    refusals.value = new Map();
  });
  refresh();
}

export function keepCartFresh() {
  effect(() => change(me.value?.id ?? null));
  effect(() => {
    if (foods.value && isAccount.peek() && account.peek()!.items.length)
      refresh(); // a dish of the menu has changed: perhaps one of these
  });
  document.addEventListener('visibilitychange', refresh);
  whenReachedAgain(refresh);
  listen('cart', (message) => {
    if (message)
      guest.value = message as GuestLine[];
    else if (sending)
      isTold = true;
    else
      refresh();
  });
}
