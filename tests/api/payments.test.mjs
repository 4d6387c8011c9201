// Payments: their states, what each kind of news does in each of them, and who may see them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { HANG_MS, startServer } from '../lib/server.mjs';
import { addFood, checkoutOf, checkoutToken, collect, fillCart, logInAdmin, place, signUp, simulate,
  stockOf } from '../lib/shop.mjs';

const MINUTE = 60_000;
let server; // provider `test`
let shop; // provider `manual`
let admin;
let owner; // the admin of the manual shop

before(async () => {
  server = await startServer({ clock: true });
  shop = await startServer({ mode: 'serve', clock: true });
  await shop.makeAdmin();
  admin = await logInAdmin(server);
  owner = await logInAdmin(shop);
});
after(async () => {
  await server.stop();
  await shop.stop();
});

const look = async (client, payment) => (await client.get(`/api/payments/${payment.id}`)).body;
const received = async (payment, expect) =>
  (await owner.post(`/api/admin/payments/${payment.id}/received`, undefined, { expect })).body;
const flagged = (at, payment) => at.waitFor(
  () => at.log.find((line) => line.event === 'payment_needs_attention' &&
    line.payment_id === payment.id), HANG_MS, `payment ${payment.id} flagged`);

// A customer with a payment for 2 of a food that has 5.
async function buying(at, by, members = {}) {
  const client = await signUp(at);
  const food = await addFood(by, { price: 500, stock: 5, ...members });
  await fillCart(client, [food, 2]);
  return { client, food, payment: await place(client) };
}

const ordersOf = async (client) => (await client.get('/api/orders')).body.items;

/* ---- Who ---- */

test('payments: its owner and its checkout token see it, nobody else', async () => {
  const { client, payment } = await buying(server, admin);
  assert.deepEqual(await look(client, payment), payment);
  assert.deepEqual(await look(checkoutOf(server, payment), payment), payment);
  const cookie = new Client(server, { cookie: `servery_session=${client.token}` });
  assert.deepEqual(await look(cookie, payment), payment);
  const at = `/api/payments/${payment.id}`;
  const other = await buying(server, admin);
  await other.client.get(at, { expect: 'not_found' });
  await other.client.delete(at, { expect: 'not_found' });
  await other.client.post(`${at}/simulate`, { outcome: 'paid' }, { expect: 'not_found' });
  await new Client(server).get(at, { expect: 'unauthenticated' });
  const wrong = checkoutOf(server, other.payment);
  await wrong.get(at, { expect: 'unauthenticated' });
  await wrong.post(`${at}/simulate`, { outcome: 'paid' }, { expect: 'unauthenticated' });
  await client.get('/api/payments/999999', { expect: 'not_found' });
});

test('payments: a checkout token opens its payment and nothing else', async () => {
  const { payment } = await buying(server, admin);
  const checkout = checkoutOf(server, payment);
  for (const path of ['/api/me', '/api/cart', '/api/orders'])
    await checkout.get(path, { expect: 401 });
  await checkout.delete(`/api/payments/${payment.id}`, { expect: 401 });
  await checkout.post('/api/orders', { payment_id: payment.id }, { expect: 401 });
  const cookie = new Client(server, { cookie: `servery_session=${checkoutToken(payment)}` });
  await cookie.get(`/api/payments/${payment.id}`, { expect: 401 });
});

/* ---- Paid, failed, given up ---- */

test('payments: paid makes one order, however often it is said', async () => {
  const { client, food, payment } = await buying(server, admin);
  const paid = await simulate(server, payment);
  assert.deepEqual([paid.status, paid.id], ['paid', payment.id]);
  const placed = await collect(client, payment);
  assert.equal(placed.id, paid.order_id);
  assert.deepEqual(await simulate(server, payment), paid);
  assert.deepEqual(await collect(client, payment), placed);
  assert.deepEqual(await ordersOf(client), [placed]);
  assert.equal(await stockOf(client, food), 3);
  await simulate(server, payment, 'failed', { expect: 'payment_conflict' });
  await client.delete(`/api/payments/${payment.id}`, { expect: 'payment_not_open' });
  const { body } = await client.get('/api/cart');
  assert.deepEqual([body.items, body.pending_payment], [[], null]);
});

test('payments: failed gives the plates back, and the cart stays', async () => {
  const { client, food, payment } = await buying(server, admin);
  assert.equal((await simulate(server, payment, 'failed')).status, 'failed');
  assert.equal((await simulate(server, payment, 'failed')).status, 'failed');
  assert.equal(await stockOf(client, food), 5);
  await collect(client, payment, { expect: 'payment_failed' });
  await simulate(server, payment, 'paid', { expect: 'payment_conflict' });
  assert.deepEqual(await ordersOf(client), []);
  const again = await place(client);
  assert.notEqual(again.id, payment.id);
  await simulate(server, again);
  assert.equal((await ordersOf(client)).length, 1);
});

test('payments: given up, once', async () => {
  const { client, food, payment } = await buying(server, admin);
  const at = `/api/payments/${payment.id}`;
  await client.delete(at, { expect: 204 });
  assert.equal((await look(client, payment)).status, 'cancelled');
  await client.delete(at, { expect: 'payment_not_open' });
  assert.equal(await stockOf(client, food), 5);
  await collect(client, payment, { expect: 'payment_cancelled' });
  await client.delete('/api/payments/999999', { expect: 'not_found' });
});

test('payments: money for a cancelled one is flagged and makes no order', async () => {
  const { client, food, payment } = await buying(server, admin);
  await client.delete(`/api/payments/${payment.id}`);
  const paid = await simulate(server, payment);
  assert.deepEqual([paid.status, paid.in_question], ['cancelled', true]);
  await flagged(server, payment);
  assert.deepEqual(await ordersOf(client), []);
  assert.equal(await stockOf(client, food), 5);
});

test('payments: simulate is checked', async () => {
  const { client, payment } = await buying(server, admin);
  const at = `/api/payments/${payment.id}/simulate`;
  await client.post(at, { outcome: 'perhaps' }, { expect: 'invalid_value' });
  await client.post(at, {}, { expect: 'required' });
  await client.post(at, { outcome: 'paid', amount: 1 }, { expect: 'unknown_field' });
  await client.post('/api/payments/999999/simulate', { outcome: 'paid' }, { expect: 404 });
  assert.equal((await look(client, payment)).status, 'pending');
});

/* ---- Expired ---- */

test('payments: past its time it counts as expired at once, and its hold is free', async () => {
  const { client, food, payment } = await buying(server, admin);
  server.clock.advance(14 * MINUTE);
  assert.equal((await look(client, payment)).status, 'pending');
  server.clock.advance(MINUTE + 1);
  assert.equal((await look(client, payment)).status, 'expired');
  await collect(client, payment, { expect: 'payment_expired' });
  await client.delete(`/api/payments/${payment.id}`, { expect: 'payment_not_open' });
  assert.equal((await client.get('/api/cart')).body.pending_payment, null);
  const other = await signUp(server);
  await fillCart(other, [food, 5]);
  await place(other);
  assert.equal(await stockOf(other, food), 0);
});

test('payments: paid late is an order while everything is to be had', async () => {
  const { client, food, payment } = await buying(server, admin);
  server.clock.advance(16 * MINUTE);
  assert.equal((await simulate(server, payment)).status, 'paid');
  const placed = await collect(client, payment);
  assert.equal(placed.total, 1000);
  assert.equal(await stockOf(client, food), 3);
});

test('payments: paid late is flagged when a food is gone', async () => {
  for (const spoil of [
    (food) => admin.put(`/api/foods/${food.id}/stock`, { stock: 1 }),
    (food) => admin.put(`/api/foods/${food.id}/availability`, { available: false }),
    (food) => admin.delete(`/api/foods/${food.id}`),
  ]) {
    const { client, food, payment } = await buying(server, admin);
    server.clock.advance(16 * MINUTE);
    await collect(client, payment, { expect: 'payment_expired' });
    await spoil(food);
    const paid = await simulate(server, payment);
    assert.deepEqual([paid.status, paid.in_question], ['expired', true]);
    await flagged(server, payment);
    assert.deepEqual(await ordersOf(client), []);
  }
});

test('payments: paid late is flagged when a newer payment is open', async () => {
  const { client, payment } = await buying(server, admin);
  server.clock.advance(16 * MINUTE);
  const newer = await place(client);
  assert.notEqual(newer.id, payment.id);
  assert.equal((await simulate(server, payment)).status, 'expired');
  await flagged(server, payment);
  assert.deepEqual(await look(client, newer), newer);
  await simulate(server, newer);
  assert.equal((await ordersOf(client)).length, 1);
});

test('payments: failed after the end is old news', async () => {
  const { client, payment } = await buying(server, admin);
  server.clock.advance(16 * MINUTE);
  assert.equal((await simulate(server, payment, 'failed')).status, 'expired');
  await collect(client, payment, { expect: 'payment_expired' });
});

test('payments: a disabled user and a changed menu do not undo a payment', async () => {
  const { client, food, payment } = await buying(server, admin);
  await admin.put(`/api/admin/users/${client.user.id}`, { disabled: true });
  await admin.delete(`/api/foods/${food.id}`);
  assert.equal((await simulate(server, payment)).status, 'paid');
  const { body } = await admin.get(`/api/admin/orders?q=${client.user.email}`);
  assert.deepEqual(body.items.map((item) => [item.status, item.total]), [['pending', 1000]]);
});

test('payments: 20 of an hour that ended unpaid are enough', async () => {
  const { client, payment } = await buying(server, admin);
  let last = payment;
  for (let i = 1; i < 20; i++) {
    await client.delete(`/api/payments/${last.id}`);
    last = await place(client);
  }
  await client.delete(`/api/payments/${last.id}`);
  const { headers } = await client.post('/api/orders', { fulfilment: 'pickup' },
    { expect: 'too_many_payments' });
  assert.ok(+headers['retry-after'] > 50 * 60 && +headers['retry-after'] <= 3600);
  server.clock.advance(60 * MINUTE + 1000);
  await place(client);
});

/* ---- manual ---- */

test('payments: with `manual` an admin says that the money came', async () => {
  const { client, food, payment } = await buying(shop, owner);
  assert.equal(payment.provider, 'manual');
  await client.post(`/api/payments/${payment.id}/simulate`, { outcome: 'paid' },
    { expect: 'not_found' });
  const paid = await received(payment, 200);
  assert.equal(paid.status, 'paid');
  assert.deepEqual(await received(payment, 200), paid);
  const placed = await collect(client, payment);
  assert.deepEqual(placed.events.map((event) => [event.to, event.actor]), [['pending', 'admin']]);
  assert.equal(await stockOf(client, food), 3);
  assert.equal((await ordersOf(client)).length, 1);
  await received({ id: 999999 }, 'not_found');
});

test('payments: received counts from any state', async () => {
  const late = await buying(shop, owner);
  shop.clock.advance(16 * MINUTE);
  assert.equal((await received(late.payment, 200)).status, 'paid');
  assert.equal((await ordersOf(late.client)).length, 1);

  const cancelled = await buying(shop, owner);
  await cancelled.client.delete(`/api/payments/${cancelled.payment.id}`);
  assert.equal((await received(cancelled.payment, 200)).status, 'cancelled');
  await flagged(shop, cancelled.payment);
  assert.deepEqual(await ordersOf(cancelled.client), []);
});

test('payments: a hold that nobody asks about is released by itself', async () => {
  const quick = await startServer({ settings: { payment_hold: '1s' } });
  try {
    const { client, food, payment } = await buying(quick, await logInAdmin(quick));
    for (const end = Date.now() + HANG_MS; await stockOf(client, food) !== 5;) {
      assert.ok(Date.now() < end, 'the hold is still there');
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
    assert.equal((await look(client, payment)).status, 'expired');
  } finally {
    await quick.stop();
  }
});

test('payments: an unpaid order sets a hold free for the next in line', async () => {
  const { client, food } = await buying(shop, owner, { stock: 2 });
  const next = await signUp(shop);
  await next.post('/api/cart/items', { food_id: food.id, quantity: 1 }, { expect: 'out_of_stock' });
  shop.clock.advance(15 * MINUTE + 1000);
  await fillCart(next, [food, 2]);
  const payment = await place(next);
  await received(payment);
  await client.post('/api/orders', { fulfilment: 'pickup' }, { expect: 'out_of_stock' });
});
