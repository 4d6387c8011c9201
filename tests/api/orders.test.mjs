// Placing an order: what is checked, frozen and held, and what reading orders shows.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';
import { addFood, collect, fillCart, logInAdmin, order, place, signUp, simulate, stockOf }
  from '../lib/shop.mjs';

let server;
let admin;

before(async () => {
  server = await startServer();
  admin = await logInAdmin(server);
});
after(() => server.stop());

const post = async (client, members, expect) =>
  (await client.post('/api/orders', { fulfilment: 'pickup', ...members }, { expect })).body;

test('orders: an empty cart, and nobody at all', async () => {
  await post(await signUp(server), {}, 'cart_empty');
  await post(new Client(server), {}, 'unauthenticated');
});

test('orders: 402 with a payment that freezes and holds', async () => {
  const client = await signUp(server);
  const food = await addFood(admin, { price: 500, stock: 10 });
  await fillCart(client, [food, 3]);
  const { payment, ...problem } = await post(client, {}, 402);
  assert.equal(problem.code, 'payment_required');
  assert.deepEqual([payment.status, payment.amount, payment.currency, payment.provider,
    payment.order_id], ['pending', 1500, 'NGN', 'test', null]);
  assert.match(payment.checkout_url, new RegExp(`^http://shop\\.test/pay/${payment.id}#[\\w-]{20,}$`));
  const hold = new Date(payment.expires_at) - Date.now();
  assert.ok(hold > 14 * 60_000 && hold <= 15 * 60_000, `held for ${hold} ms`);
  assert.equal(await stockOf(client, food), 7);

  await admin.put(`/api/foods/${food.id}`, { price: 900, name: 'Dearer' });
  await simulate(server, payment);
  const placed = await collect(client, payment);
  assert.equal(placed.total, 1500);
  assert.deepEqual(placed.items, [{ food_id: food.id, name: food.name, unit_price: 500,
    quantity: 3, line_total: 1500 }]);
  assert.deepEqual(placed.payment, { id: payment.id, status: 'paid', amount: 1500 });
  assert.equal(await stockOf(client, food), 7);
});

test('orders: the screen cannot be passed unpaid', async () => {
  const client = await signUp(server);
  const food = await addFood(admin);
  await fillCart(client, food);
  const first = await place(client);
  for (let i = 0; i < 3; i++) assert.deepEqual(await place(client), first);
  assert.deepEqual((await post(client, { expected_total: first.amount }, 402)).payment, first);
  const { body } = await client.post('/api/orders', { payment_id: first.id }, { expect: 402 });
  assert.deepEqual(body.payment, first);
  assert.deepEqual((await client.get('/api/orders')).body.items, []);
});

test('orders: the same again checks nothing again: it is held and frozen', async () => {
  const client = await signUp(server);
  const food = await addFood(admin, { price: 700, stock: 1 });
  await fillCart(client, food);
  const payment = await place(client);
  await admin.put(`/api/foods/${food.id}`, { price: 900 });
  await admin.put(`/api/foods/${food.id}/availability`, { available: false });
  assert.deepEqual(await place(client), payment);
  const { body } = await client.get('/api/cart');
  assert.equal(body.items[0].problem, 'unavailable');
});

test('orders: another cart, fulfilment, address or note replaces the payment', async () => {
  const client = await signUp(server);
  const food = await addFood(admin, { price: 500, stock: 5 });
  await fillCart(client, [food, 2]);
  const seen = [await place(client)];
  const replace = async (members) => {
    const payment = await place(client, members);
    const last = seen.at(-1);
    assert.notEqual(payment.id, last.id);
    assert.equal((await client.get(`/api/payments/${last.id}`)).body.status, 'cancelled');
    seen.push(payment);
  };
  await replace({ note: 'No pepper' });
  await replace({ fulfilment: 'delivery', address: '12 Marina' });
  await replace({ fulfilment: 'delivery', address: '13 Marina' });
  assert.equal(await stockOf(client, food), 3);
  await client.put(`/api/cart/items/${food.id}`, { quantity: 5 });
  await replace({ fulfilment: 'delivery', address: '13 Marina' });
  assert.equal(await stockOf(client, food), 0, 'the units it held itself count as available');
  await client.put(`/api/cart/items/${food.id}`, { quantity: 1 });
  await replace({});
  assert.equal(await stockOf(client, food), 4);
  await client.post('/api/orders', { payment_id: seen[0].id }, { expect: 'payment_cancelled' });
});

test('orders: a refused call changes nothing, an open payment included', async () => {
  const client = await signUp(server);
  const [food, other] = [await addFood(admin, { stock: 5 }), await addFood(admin, { stock: 1 })];
  await fillCart(client, [food, 2]);
  const payment = await place(client);
  await fillCart(client, other);
  await admin.put(`/api/foods/${other.id}/stock`, { stock: 0 });
  await post(client, {}, 'out_of_stock');
  await post(client, { expected_total: 1 }, 409);
  await post(client, { fulfilment: 'delivery' }, 422);
  assert.deepEqual((await client.get(`/api/payments/${payment.id}`)).body, payment);
  assert.equal(await stockOf(client, food), 3);
});

test('orders: one row for every food that cannot be sold', async () => {
  const client = await signUp(server);
  const foods = [];
  for (let i = 0; i < 4; i++) foods.push(await addFood(admin, { stock: 5 }));
  const [gone, off, out] = foods;
  await fillCart(client, ...foods.map((food) => [food, 2]));
  await admin.delete(`/api/foods/${gone.id}`);
  await admin.put(`/api/foods/${off.id}/availability`, { available: false });
  await admin.put(`/api/foods/${out.id}/stock`, { stock: 1 });
  const { errors } = await post(client, {}, 409);
  assert.deepEqual(errors.map((row) => [row.food_id, row.code]), [
    [gone.id, 'food_unavailable'], [off.id, 'food_unavailable'], [out.id, 'out_of_stock']]);
});

test('orders: expected_total guards against a changed price', async () => {
  const client = await signUp(server);
  const food = await addFood(admin, { price: 500 });
  await fillCart(client, [food, 2]);
  await admin.put(`/api/foods/${food.id}/price`, { price: 600 });
  assert.equal((await post(client, { expected_total: 1000 }, 'price_changed')).total, 1200);
  const payment = await place(client, { expected_total: 1200 });
  await admin.put(`/api/foods/${food.id}/price`, { price: 700 });
  // What differs from the open payment's amount is compared with the recomputed total.
  assert.equal((await post(client, { expected_total: 1 }, 'price_changed')).total, 1400);
  assert.deepEqual((await post(client, { expected_total: 1200 }, 402)).payment, payment);
  const dearer = await place(client, { expected_total: 1400 });
  assert.deepEqual([dearer.amount, dearer.id === payment.id], [1400, false]);
});

test('orders: a total of 0 needs no payment', async () => {
  const client = await signUp(server);
  const food = await addFood(admin, { price: 0, stock: 3 });
  await fillCart(client, [food, 2]);
  const { body, headers } = await client.post('/api/orders',
    { fulfilment: 'delivery', address: ' 12 Marina ', note: 'Ring\ntwice', expected_total: 0 },
    { expect: 201 });
  assert.equal(headers.location, `/api/orders/${body.id}`);
  assert.deepEqual([body.status, body.total, body.payment, body.fulfilment, body.address, body.note],
    ['pending', 0, null, 'delivery', '12 Marina', 'Ring\ntwice']);
  assert.deepEqual(body.events.map((event) => [event.from, event.to, event.actor]),
    [[null, 'pending', 'customer']]);
  assert.equal(await stockOf(client, food), 1);
  assert.deepEqual((await client.get('/api/cart')).body.items, []);
  await post(client, {}, 'cart_empty');
});

test('orders: a delivery needs an address; texts have limits', async () => {
  const client = await signUp(server);
  await fillCart(client, await addFood(admin));
  for (const address of [undefined, null, '', '  \n '])
    assert.equal((await post(client, { fulfilment: 'delivery', address }, 'required'))
      .errors[0].field, 'address');
  await post(client, { fulfilment: 'delivery', address: 'x'.repeat(501) }, 'too_long');
  await post(client, { fulfilment: 'delivery', address: '🏠'.repeat(500) }, 402);
  await post(client, { note: 'x'.repeat(501) }, 'too_long');
  await post(client, { note: 'x'.repeat(500) }, 402);
  await post(client, { note: 'a\u001bb' }, 'control_character');
  await post(client, { fulfilment: 'drone' }, 'invalid_value');
  await client.post('/api/orders', {}, { expect: 'required' });
  await client.post('/api/orders', undefined, { expect: 'required' });
  await post(client, { expected_total: -1 }, 'out_of_range');
  await post(client, { expected_total: 1e12 + 1 }, 'out_of_range');
  await post(client, { total: 1 }, 'unknown_field');
  await post(client, { price: 1 }, 'unknown_field');
  await post(client, { payment_id: 1 }, 'invalid_value');
});

test('orders: prices that rose over the limit are refused', async () => {
  const client = await signUp(server);
  const food = await addFood(admin, { price: 1 });
  await fillCart(client, [food, 2]);
  await admin.put(`/api/foods/${food.id}/price`, { price: 1e12 });
  await post(client, {}, 'total_too_large');
});

test('orders: lines that were edited while paying stay in the cart', async () => {
  const client = await signUp(server);
  const [kept, edited, added] =
    [await addFood(admin), await addFood(admin), await addFood(admin)];
  await fillCart(client, kept, [edited, 2]);
  const payment = await place(client);
  await fillCart(client, edited, added);
  await simulate(server, payment);
  const placed = await collect(client, payment);
  assert.deepEqual(placed.items.map((line) => [line.food_id, line.quantity]),
    [[kept.id, 1], [edited.id, 2]]);
  const { body } = await client.get('/api/cart');
  assert.deepEqual(body.items.map((line) => [line.food_id, line.quantity]),
    [[edited.id, 3], [added.id, 1]]);
  assert.equal(body.pending_payment, null);
});

test('orders: an edit that was undone before placing again leaves no line behind', async () => {
  const client = await signUp(server);
  const food = await addFood(admin);
  await fillCart(client, [food, 2]);
  const payment = await place(client);
  await client.put(`/api/cart/items/${food.id}`, { quantity: 1 });
  await client.put(`/api/cart/items/${food.id}`, { quantity: 2 });
  assert.equal((await place(client)).id, payment.id);
  await simulate(server, payment);
  assert.deepEqual((await client.get('/api/cart')).body.items, []);
});

test('orders: the order is there also when nobody comes back for it', async () => {
  const client = await signUp(server);
  await fillCart(client, await addFood(admin));
  const payment = await place(client);
  await client.post('/api/logout');
  await simulate(server, payment);
  const { body } = await admin.get(`/api/admin/orders?q=${client.user.email}`);
  assert.equal(body.items[0].payment.id, payment.id);
});

test('orders: 404 for another user, and nothing for nobody', async () => {
  const [owner, other] = [await signUp(server), await signUp(server)];
  const placed = await order(owner, [await addFood(admin)]);
  await other.get(`/api/orders/${placed.id}`, { expect: 'not_found' });
  await other.post('/api/orders', { payment_id: placed.payment.id }, { expect: 'not_found' });
  await other.post('/api/orders', { payment_id: 999999 }, { expect: 'not_found' });
  await new Client(server).get(`/api/orders/${placed.id}`, { expect: 401 });
  assert.deepEqual((await other.get('/api/orders')).body.items, []);
  const { customer, ...seen } = (await admin.get(`/api/orders/${placed.id}`)).body;
  assert.deepEqual(seen, (await owner.get(`/api/orders/${placed.id}`)).body);
  assert.equal(customer.id, owner.user.id);
});

test('orders: listed whole, newest first, in pages', async () => {
  const client = await signUp(server);
  const food = await addFood(admin, { price: 0 });
  const placed = [];
  for (let i = 0; i < 5; i++) {
    await fillCart(client, food);
    placed.unshift(await post(client, {}, 201));
  }
  const { body: all } = await client.get('/api/orders');
  assert.deepEqual(all, { items: placed, next_cursor: null });
  const seen = [];
  for (let cursor = ''; cursor !== null;) {
    const { body } = await client.get(`/api/orders?limit=2${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.items);
    cursor = body.next_cursor;
  }
  assert.deepEqual(seen, placed);
});

test('orders: an ETag that moves with the order', async () => {
  const client = await signUp(server);
  const placed = await order(client, [await addFood(admin)]);
  const at = `/api/orders/${placed.id}`;
  const { etag } = (await client.get(at)).headers;
  await client.get(at, { headers: { 'if-none-match': etag }, expect: 304 });
  await admin.put(`${at}/status`, { status: 'confirmed' });
  const { body } = await client.get(at, { headers: { 'if-none-match': etag }, expect: 200 });
  assert.deepEqual([body.status, body.version], ['confirmed', 2]);
});
