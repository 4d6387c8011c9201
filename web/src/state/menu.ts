/* What the shop sells. Read when the page opens, when it becomes visible again and once a minute:
 * an unchanged menu costs a 304, and a food that did not change stays the same object, so that
 * nothing is drawn again for it. */
import { computed, signal } from '@preact/signals';
import { type Food, call } from '../api';
import { whenReachedAgain } from './connection';
import { loadShop, shop } from './shop';

const REFRESH_MS = 60_000;

/* null: not there yet. */
export const foods = signal<Food[] | null>(null);
export const menuError = signal<unknown>(null);

export const foodById = computed(() => new Map((foods.value ?? []).map((food) => [food.id, food])));

export interface Category { name: string; foods: Food[] }

export function groupByCategory(list: Food[]): Category[] {
  const groups = new Map<string, Food[]>();
  for (const food of list) {
    const group = groups.get(food.category);
    if (group)
      group.push(food);
    else
      groups.set(food.category, [food]);
  }
  return [...groups].map(([name, members]) => ({ name, foods: members }));
}

export function isSoldOut(food: Food): boolean {
  return food.stock === 0;
}

export function canOrder(food: Food): boolean {
  return food.available && !isSoldOut(food);
}

/* The shop takes orders as long as one dish can be had. */
export const isOpen = computed(() => foods.value?.some(canOrder) ?? null);

let reading: Promise<void> | null = null;
let changes = 0; // that a reading under way may not have seen

function isSame(one: Food, other: Food): boolean {
  return (Object.keys(other) as (keyof Food)[]).every((member) => one[member] === other[member]);
}

function setFoods(found: Food[]) {
  const had = foodById.peek();
  const next = found.map((food) => {
    const old = had.get(food.id);
    return old && isSame(old, food) ? old : food;
  });
  const list = foods.peek();
  if (list?.length !== next.length || next.some((food, i) => food !== list[i]))
    foods.value = next;
}

async function readAll(): Promise<Food[]> {
  const found = new Map<number, Food>(); // one that is renamed meanwhile may come on two pages
  let cursor: string | null = null;
  do {
    const page: { items: Food[]; next_cursor: string | null } = await call('get', '/api/foods', {
      query: { limit: 500, cursor: cursor ?? undefined } });
    page.items.forEach((food) => found.set(food.id, food));
    cursor = page.next_cursor;
  } while (cursor);
  return [...found.values()];
}

async function read() {
  try {
    let seen: number;
    let found: Food[];
    do {
      seen = changes;
      found = await readAll();
    } while (seen !== changes);
    setFoods(found);
    menuError.value = null;
  } catch (error) {
    menuError.value = error;
  }
}

/* Resolves when the menu is as the shop told it after this was called. */
export function loadMenu(): Promise<void> {
  changes++;
  reading ??= read().finally(() => { reading = null; });
  return reading;
}

/* An admin's edit, shown without reading everything again. */
export function putFood(food: Food) {
  changes++;
  const list = foods.peek() ?? [];
  foods.value = list.some((other) => other.id === food.id)
    ? list.map((other) => (other.id === food.id ? food : other)) : [...list, food];
}

/* A dish that was taken off the menu. */
export function dropFood(id: number) {
  changes++;
  foods.value = (foods.peek() ?? []).filter((food) => food.id !== id);
}

export function keepMenuFresh() {
  const refresh = () => {
    if (document.hidden)
      return;
    void loadMenu();
    if (!shop.peek())
      loadShop().catch(() => {}); // the next turn asks again
  };
  setInterval(refresh, REFRESH_MS);
  document.addEventListener('visibilitychange', refresh);
  whenReachedAgain(refresh);
}
