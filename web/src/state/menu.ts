/* What the shop sells. Read when the page opens, when it becomes visible again and once a minute: an
 * unchanged menu costs a 304. */
import { computed, signal } from '@preact/signals';
import { type Food, call } from '../api';
import { whenReachedAgain } from './connection';

const REFRESH_MS = 60_000;

/* null: not there yet. */
export const foods = signal<Food[] | null>(null);
export const menuError = signal<unknown>(null);

export const foodById = computed(() => new Map((foods.value ?? []).map((food) => [food.id, food])));

export interface Category { name: string; foods: Food[] }

export function groupByCategory(list: Food[]): Category[] {
  const groups = new Map<string, Food[]>();
  for (const food of list)
    groups.set(food.category, [...(groups.get(food.category) ?? []), food]);
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

async function read() {
  const found: Food[] = [];
  let cursor: string | null = null;
  try {
    do {
      const page: { items: Food[]; next_cursor: string | null } = await call('get', '/api/foods', {
        query: { limit: 500, cursor: cursor ?? undefined } });
      found.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor);
    foods.value = found;
    menuError.value = null;
  } catch (error) {
    menuError.value = error;
  }
}

export function loadMenu(): Promise<void> {
  reading ??= read().finally(() => { reading = null; });
  return reading;
}

/* An admin's edit, shown without reading everything again. */
export function putFood(food: Food) {
  const list = foods.peek() ?? [];
  foods.value = list.some((other) => other.id === food.id)
    ? list.map((other) => (other.id === food.id ? food : other)) : [...list, food];
}

export function keepMenuFresh() {
  const refresh = () => {
    if (!document.hidden)
      void loadMenu();
  };
  setInterval(refresh, REFRESH_MS);
  document.addEventListener('visibilitychange', refresh);
  whenReachedAgain(refresh);
}
