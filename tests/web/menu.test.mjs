// The menu as it is shown: by category, and drawn again only where it changed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from '../lib/bundle.mjs';

const { canOrder, foodById, foods, groupByCategory, isOpen, loadMenu, menuError, putFood } =
  await load('src/state/menu.ts');

const food = (id, more = {}) => ({ id, name: `Dish ${id}`, category: 'Rice', available: true, stock: null, version: 1, ...more });

/* The shop answers with these lists, one after the other; each may do something before it does. */
function answer(...lists) {
  globalThis.fetch = async () => {
    const list = lists.shift();
    const items = typeof list === 'function' ? list() : list;
    return items ? Response.json({ items, next_cursor: null })
      : Response.json({ code: 'unavailable' }, { status: 503, headers: { 'X-Request-Id': 'a' } });
  };
}

test('categories and foods keep the order in which they come', () => {
  const list = [food(1, { category: 'B' }), food(2, { category: 'A' }), food(3, { category: 'B' })];
  assert.deepEqual(groupByCategory(list).map((group) => [group.name, group.foods.map(({ id }) => id)]), [['B', [1, 3]], ['A', [2]]]);
});

test('what is sold out or switched off cannot be ordered', () => {
  assert.equal(canOrder(food(1)), true);
  assert.equal(canOrder(food(1, { stock: 1 })), true);
  assert.equal(canOrder(food(1, { stock: 0 })), false);
  assert.equal(canOrder(food(1, { available: false })), false);
});

test('a menu that did not change is the same object; a food that did not, too', async () => {
  answer([food(1), food(2)], [food(1), food(2)], [food(1), food(2, { stock: 3 })]);
  await loadMenu();
  const [first] = foods.value;
  const menu = foods.value;
  await loadMenu();
  assert.equal(foods.value, menu);
  await loadMenu();
  assert.notEqual(foods.value, menu);
  assert.equal(foods.value[0], first);
  assert.equal(foodById.value.get(2).stock, 3);
});

test('a food that is gone leaves the menu', async () => {
  answer([food(1)]);
  await loadMenu();
  assert.deepEqual(foods.value.map(({ id }) => id), [1]);
});

test('an edit is not undone by an answer that is older', async () => {
  const edited = food(1, { version: 2, name: 'New' });
  answer(() => {
    putFood(edited);
    return [food(1)];
  }, [edited]);
  await loadMenu();
  assert.equal(foods.value[0].name, 'New');
});

test('a failure leaves what was there, and says so until the next success', async () => {
  answer(null, [food(1), food(2, { available: false })]);
  const had = foods.value;
  await loadMenu();
  assert.equal(foods.value, had);
  assert.equal(menuError.value.status, 503);
  await loadMenu();
  assert.equal(menuError.value, null);
});

test('the shop takes orders while one dish can be had', async () => {
  answer([food(1, { stock: 0 }), food(2, { available: false })], [food(1, { stock: 0 }), food(2)]);
  await loadMenu();
  assert.equal(isOpen.value, false);
  await loadMenu();
  assert.equal(isOpen.value, true);
});
