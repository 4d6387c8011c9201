/* Quick edits of the menu. What is switched or counted is shown at once and then sent, one call
 * after the other for each dish; the server's answer is what stays. */
import { batch, computed, signal } from '@preact/signals';
import { CallError, type Food, call } from '../api';
import { money } from '../format';
import { foods, loadMenu, putFood } from '../state/menu';
import { dismiss, toast } from '../state/toast';
import { explain } from '../words';

interface Wish { available?: boolean; add: number }

const wishes = signal<ReadonlyMap<number, Wish>>(new Map());

/* Why the last quick edit of a dish did not happen, until its next one. */
export const refusals = signal<ReadonlyMap<number, string>>(new Map());

/* The menu as it will be once all is sent. */
export const shownFoods = computed(() => (foods.value === null ? null : foods.value.map((food) => {
  const wish = wishes.value.get(food.id);
  return wish ? {
    ...food, available: wish.available ?? food.available,
    stock: food.stock === null ? null : Math.max(0, food.stock + wish.add),
  } : food;
})));

function setIn<V>(map: ReadonlyMap<number, V>, id: number, value: V | null): Map<number, V> {
  const copy = new Map(map);
  if (value === null)
    copy.delete(id);
  else
    copy.set(id, value);
  return copy;
}

function settle(food: Food, done: Wish) {
  batch(() => {
    putFood(food);
    const now = wishes.peek().get(food.id) ?? { add: 0 };
    const left: Wish = { add: now.add - done.add };
    if (now.available !== done.available)
      left.available = now.available;
    wishes.value = setIn(wishes.peek(), food.id, left.add || left.available !== undefined ? left : null);
  });
}

function refuse(id: number, error: unknown, wish: Wish) {
  const isLost = error instanceof CallError && error.status === 0;
  batch(() => {
    wishes.value = setIn(wishes.peek(), id, null);
    refusals.value = setIn(refusals.peek(), id, isLost && wish.add
      ? 'No answer from the shop. Look at the number before you try again.' : explain(error));
  });
  void loadMenu();
}

function forgive(id: number) {
  if (refusals.peek().has(id))
    refusals.value = setIn(refusals.peek(), id, null);
}

const sending = new Set<number>();

async function send(id: number) {
  if (sending.has(id))
    return;
  sending.add(id);
  for (let wish = wishes.peek().get(id); wish; wish = wishes.peek().get(id)) {
    const { available, add } = wish;
    try {
      if (available !== undefined)
        settle(await call('put', '/api/foods/{id}/availability', { id, body: { available } }), { available, add: 0 });
      else
        settle(await call('put', '/api/foods/{id}/stock', { id, body: { add } }), { add });
    } catch (error) {
      refuse(id, error, wish);
      told.get(id)?.forEach(dismiss);
    }
  }
  told.delete(id);
  sending.delete(id);
}

/* Toasts about edits that are still being sent, by dish: a refusal takes them away. */
const told = new Map<number, number[]>();

function wish(id: number, change: (had: Wish) => Wish) {
  batch(() => {
    forgive(id);
    wishes.value = setIn(wishes.peek(), id, change(wishes.peek().get(id) ?? { add: 0 }));
  });
  void send(id);
}

export function setAvailable(food: Pick<Food, 'id' | 'name'>, available: boolean, isUndo = false) {
  wish(food.id, (had) => ({ ...had, available }));
  const id = toast(available ? `${food.name} can be ordered again.` : `${food.name} cannot be ordered any more.`, {
    action: isUndo ? undefined : { label: 'Undo', run: () => setAvailable(food, !available, true) },
  });
  told.set(food.id, [...(told.get(food.id) ?? []), id]);
}

export function addStock(id: number, add: number) {
  wish(id, (had) => ({ ...had, add: had.add + add }));
}

/* null: not counted. */
export async function setStock(food: Food, stock: number | null) {
  forgive(food.id);
  putFood(await call('put', '/api/foods/{id}/stock', { id: food.id, body: { stock } }));
}

/* Edits of others are not lost unseen: a price that somebody else has changed meanwhile is told
 * first. */
export async function setPrice(food: Food, price: number): Promise<void> {
  try {
    putFood(await call('put', '/api/foods/{id}/price', { id: food.id, body: { price, version: food.version } }));
  } catch (error) {
    if (!(error instanceof CallError) || error.code !== 'version_conflict')
      throw error;
    const fresh = await call('get', '/api/foods/{id}', { id: food.id });
    putFood(fresh);
    if (fresh.price !== food.price)
      throw new CallError(409, { detail: `Somebody else has just set ${money(fresh.price)}. Enter sets yours all the same.` });
    await setPrice(fresh, price);
  }
}
