// The cart: one a user, always at the present prices.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';
import { addFood, fillCart, logIn, logInAdmin, place, signUp } from '../lib/shop.mjs';

let server;
let admin;

before(async () => {
  server = await startServer();
  admin = await logInAdmin(server);
});
after(() => server.stop());

const add = (client, food, quantity, expect = 200) =>
  client.post('/api/cart/items', { food_id: food.id, quantity }, { expect });
const set = (client, food, quantity, expect = 200) =>
  client.put(`/api/cart/items/${food.id}`, { quantity }, { expect });
const lines = (cart) => cart.items.map((line) => [line.food_id, line.quantity, line.problem]);

test('cart: empty at first', async () => {
  const client = await signUp(server);
  assert.deepEqual((await client.get('/api/cart')).body,
    { items: [], total: 0, currency: 'NGN', pending_payment: null });
});

test('cart: needs a log-in, and everybody has his own', async () => {
  await new Client(server).get('/api/cart', { expect: 401 });
  const food = await addFood(admin);
  const one = await signUp(server);
  await add(one, food, 1);
  assert.deepEqual((await (await signUp(server)).get('/api/cart')).body.items, []);
  const second = await logIn(server, one.user.email);
  assert.equal((await second.get('/api/cart')).body.items.length, 1, 'on every device');
});

test('cart: adds, sets, removes, clears', async () => {
  const client = await signUp(server);
  const rice = await addFood(admin, { name: 'Rice', price: 300 });
  const soup = await addFood(admin, { name: 'Soup', price: 450 });
  await add(client, rice, 2);
  const { body: cart } = await add(client, rice, 1);
  assert.deepEqual(cart.items, [{ food_id: rice.id, name: 'Rice', image_url: null, quantity: 3,
    unit_price: 300, line_total: 900, problem: null }]);
  const { body: both } = await add(client, soup, 2);
  assert.equal(both.total, 900 + 900);
  assert.equal((await set(client, rice, 1)).body.total, 300 + 900);
  assert.deepEqual(lines((await set(client, rice, 0)).body), [[soup.id, 2, null]]);
  assert.deepEqual(lines((await set(client, rice, 5)).body), [[rice.id, 5, null], [soup.id, 2, null]]);
  assert.deepEqual(
    lines((await client.delete(`/api/cart/items/${soup.id}`)).body), [[rice.id, 5, null]]);
  assert.equal((await client.delete(`/api/cart/items/${soup.id}`)).status, 200, 'again');
  const { body: cleared } = await client.delete('/api/cart');
  assert.deepEqual(cleared.items, []);
  assert.deepEqual((await client.get('/api/cart')).body, cleared);
});

test('cart: a line has 1 to 99', async () => {
  const client = await signUp(server);
  const food = await addFood(admin);
  for (const quantity of [-1, 0, 100, 2 ** 40]) await add(client, food, quantity, 'out_of_range');
  for (const quantity of [1.5, '1', null, true, [1]]) await add(client, food, quantity, 'wrong_type');
  await set(client, food, -1, 'out_of_range');
  await set(client, food, 100, 'out_of_range');
  assert.deepEqual((await client.get('/api/cart')).body.items, []);
  await add(client, food, 98);
  await add(client, food, 2, 'out_of_range');
  const { body } = await add(client, food, 1);
  assert.equal(body.items[0].quantity, 99);
});

test('cart: a cart has 50 lines', async () => {
  const client = await signUp(server);
  const foods = [];
  for (let i = 0; i < 51; i++) foods.push(await addFood(admin, { price: i }));
  for (const food of foods.slice(0, 50)) await add(client, food, 1);
  await add(client, foods[50], 1, 'cart_full');
  await set(client, foods[50], 1, 'cart_full');
  await add(client, foods[0], 1);
  await set(client, foods[1], 0);
  const { body } = await add(client, foods[50], 1);
  assert.equal(body.items.length, 50);
});

test('cart: unknown, deleted and switched-off foods', async () => {
  const client = await signUp(server);
  const [gone, off, kept] = [await addFood(admin), await addFood(admin), await addFood(admin)];
  await fillCart(client, gone, off, kept);
  await admin.delete(`/api/foods/${gone.id}`);
  await admin.put(`/api/foods/${off.id}/availability`, { available: false });
  assert.deepEqual(lines((await client.get('/api/cart')).body),
    [[gone.id, 1, 'unavailable'], [off.id, 1, 'unavailable'], [kept.id, 1, null]]);
  await add(client, { id: 999999 }, 1, 'food_not_found');
  await add(client, gone, 1, 'food_not_found');
  await add(client, off, 1, 'food_unavailable');
  await set(client, { id: 999999 }, 1, 'food_not_found');
  const { body } = await client.post('/api/orders', { fulfilment: 'pickup' },
    { expect: 'food_unavailable' });
  assert.deepEqual(body.errors.map((row) => [row.food_id, row.code]),
    [[gone.id, 'food_unavailable'], [off.id, 'food_unavailable']]);
  await set(client, gone, 0);
  await client.delete(`/api/cart/items/${off.id}`);
  await place(client);
});

test('cart: no more than there is', async () => {
  const client = await signUp(server);
  const food = await addFood(admin, { stock: 3 });
  await add(client, food, 4, 'out_of_stock');
  await add(client, food, 2);
  await add(client, food, 2, 'out_of_stock');
  await add(client, food, 1);
  await admin.put(`/api/foods/${food.id}/stock`, { stock: 1 });
  assert.deepEqual(lines((await client.get('/api/cart')).body), [[food.id, 3, 'out_of_stock']]);
  const { body } = await set(client, food, 1);
  assert.deepEqual(lines(body), [[food.id, 1, null]]);
});

test("cart: a user's own hold does not count against him", async () => {
  const client = await signUp(server);
  const food = await addFood(admin, { stock: 3 });
  await add(client, food, 3);
  const payment = await place(client);
  const { body } = await client.get('/api/cart');
  assert.deepEqual(lines(body), [[food.id, 3, null]]);
  assert.deepEqual(body.pending_payment, payment);
  await set(client, food, 2);
  await set(client, food, 3);
  const other = await signUp(server);
  await add(other, food, 1, 'out_of_stock');
});

test('cart: prices are the present ones', async () => {
  const client = await signUp(server);
  const food = await addFood(admin, { price: 100 });
  await add(client, food, 2);
  await admin.put(`/api/foods/${food.id}`, { price: 150, name: 'Renamed' });
  const { body } = await client.get('/api/cart');
  assert.deepEqual([body.items[0].name, body.items[0].unit_price, body.total],
    ['Renamed', 150, 300]);
});

test('cart: a total stays below 10^12', async () => {
  const client = await signUp(server);
  const food = await addFood(admin, { price: 1e12 });
  const penny = await addFood(admin, { price: 1 });
  await add(client, food, 1);
  await add(client, food, 1, 'total_too_large');
  await add(client, penny, 1, 'total_too_large');
  assert.equal((await client.get('/api/cart')).body.total, 1e12);
  await place(client);
});
