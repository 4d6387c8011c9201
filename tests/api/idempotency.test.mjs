// Idempotency-Key: sending something twice does it once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { addFood, fillCart, logInAdmin, signUp, simulate, unique } from '../lib/shop.mjs';

const HOUR = 3600_000;
let server;
let admin;

before(async () => {
  server = await startServer({ clock: true });
  admin = await logInAdmin(server);
});
after(() => server.stop());

const keyed = (key, expect) => ({ headers: { 'idempotency-key': key }, expect });

test('idempotency: the first answer is given again, with its headers', async () => {
  const key = unique('key');
  const members = { name: unique('Once'), price: 1 };
  const first = await admin.post('/api/foods', members, keyed(key, 201));
  assert.equal(first.headers['idempotency-replayed'], undefined);
  const again = await admin.post('/api/foods', members, keyed(key, 201));
  assert.deepEqual([again.text, again.headers.location, again.headers['idempotency-replayed']],
    [first.text, first.headers.location, 'true']);
  const { body } = await admin.get(`/api/foods?q=${members.name}`);
  assert.equal(body.items.length, 1);
});

test('idempotency: another body with the key is refused', async () => {
  const key = unique('key');
  await admin.post('/api/foods', { name: 'One', price: 1 }, keyed(key, 201));
  await admin.post('/api/foods', { name: 'One', price: 2 }, keyed(key, 'idempotency_key_reused'));
});

test('idempotency: a key belongs to its user and its path', async () => {
  const key = unique('key');
  const food = await addFood(admin);
  const body = { food_id: food.id, quantity: 1 };
  const [one, other] = [await signUp(server), await signUp(server)];
  await one.post('/api/cart/items', body, keyed(key, 200));
  const { headers } = await other.post('/api/cart/items', body, keyed(key, 200));
  assert.equal(headers['idempotency-replayed'], undefined);
  await one.post('/api/orders', { fulfilment: 'pickup' }, keyed(key, 402));
  const { body: cart } = await one.post('/api/cart/items', body, keyed(key, 200));
  assert.equal(cart.items[0].quantity, 1);
});

test('idempotency: it lives for 24 hours', async () => {
  const key = unique('key');
  const food = await addFood(admin);
  const client = await signUp(server);
  const add = async () => (await client.post('/api/cart/items',
    { food_id: food.id, quantity: 1 }, keyed(key, 200))).body.items[0].quantity;
  assert.equal(await add(), 1);
  server.clock.advance(23 * HOUR);
  assert.equal(await add(), 1);
  server.clock.advance(HOUR + 1000);
  assert.equal(await add(), 2);
  assert.equal(await add(), 2, 'and counts from anew');
});

test('idempotency: errors are not stored', async () => {
  const key = unique('key');
  const food = await addFood(admin, { stock: 0 });
  const client = await signUp(server);
  const body = { food_id: food.id, quantity: 1 };
  await client.post('/api/cart/items', body, keyed(key, 'out_of_stock'));
  await admin.put(`/api/foods/${food.id}/stock`, { stock: 1 });
  await client.post('/api/cart/items', body, keyed(key, 200));
});

test('idempotency: a key has 1 to 255 visible ASCII characters', async () => {
  const client = await signUp(server);
  const food = await addFood(admin);
  const add = (key, expect) => client.post('/api/cart/items', { food_id: food.id, quantity: 1 },
    keyed(key, expect));
  await add('x'.repeat(255), 200);
  await add('!', 200);
  await add('~', 200);
  for (const key of ['', 'x'.repeat(256), 'two words', 'caf\u00e9'])
    await add(key, 'idempotency_key_invalid');
});

test('idempotency: on an order the key names the payment it made', async () => {
  const key = unique('key');
  const client = await signUp(server);
  const food = await addFood(admin, { price: 500 });
  await fillCart(client, food);
  const post = (expect) => client.post('/api/orders', { fulfilment: 'pickup' }, keyed(key, expect));
  const { payment } = (await post(402)).body;
  // The cart is another one now, and the call is still about that payment.
  await fillCart(client, await addFood(admin));
  assert.deepEqual((await post(402)).body.payment, payment);
  await simulate(server, payment);
  const { body: placed } = await post(200);
  assert.equal(placed.payment.id, payment.id);
  assert.deepEqual((await post(200)).body, placed);
  assert.equal((await client.get('/api/orders')).body.items.length, 1);
});

test('idempotency: the key of a payment that ended says how', async () => {
  for (const [end, code] of [
    [(payment) => simulate(server, payment, 'failed'), 'payment_failed'],
    [(payment, client) => client.delete(`/api/payments/${payment.id}`), 'payment_cancelled'],
    [() => server.clock.advance(16 * 60_000), 'payment_expired'],
  ]) {
    const key = unique('key');
    const client = await signUp(server);
    await fillCart(client, await addFood(admin));
    const post = (expect) =>
      client.post('/api/orders', { fulfilment: 'pickup' }, keyed(key, expect));
    const { payment } = (await post(402)).body;
    await end(payment, client);
    await post(code);
    await post(code);
  }
});

test('idempotency: a free order is made once', async () => {
  const key = unique('key');
  const client = await signUp(server);
  const food = await addFood(admin, { price: 0 });
  await fillCart(client, food);
  const post = (expect) => client.post('/api/orders', { fulfilment: 'pickup' }, keyed(key, expect));
  const first = await post(201);
  await fillCart(client, food);
  const again = await post(201);
  assert.deepEqual([again.text, again.headers.location, again.headers['idempotency-replayed']],
    [first.text, first.headers.location, 'true']);
  assert.equal((await client.get('/api/orders')).body.items.length, 1);
});

test('idempotency: 20 at once with one key do it once', async () => {
  const key = unique('key');
  const client = await signUp(server);
  const food = await addFood(admin);
  const answers = await Promise.all(Array.from({ length: 20 }, () =>
    client.post('/api/cart/items', { food_id: food.id, quantity: 1 }, keyed(key, 200))));
  assert.deepEqual(new Set(answers.map((answer) => answer.text)).size, 1);
  assert.equal((await client.get('/api/cart')).body.items[0].quantity, 1);
});
