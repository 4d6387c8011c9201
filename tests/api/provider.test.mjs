// A remote payment provider, with everything that can go wrong between two programs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { startProvider } from '../lib/provider.mjs';
import { HANG_MS, startServer } from '../lib/server.mjs';
import { addFood, fillCart, logInAdmin, signUp, stockOf } from '../lib/shop.mjs';

const HOLD_MS = 15 * 60 * 1000;
const LOOK_MS = 6000;

let provider;
let server;
let admin;
let food;

before(async () => {
  provider = await startProvider();
  server = await startServer({ clock: true, settings: { test_provider_url: provider.url } });
  admin = await logInAdmin(server);
});
after(async () => {
  await server.stop();
  await provider.close();
});

// A customer with two plates of a food of which there are ten.
async function customer() {
  for (const kind of ['create', 'look', 'cancel']) provider.set(kind, 'answer');
  food = await addFood(admin, { price: 250, stock: 10 });
  const client = await signUp(server);
  await fillCart(client, [food, 2]);
  return client;
}

const placing = (client, expect, options) =>
  client.post('/api/orders', { fulfilment: 'pickup' }, { expect, ...options });
const placed = async (client) => (await placing(client, 402)).body.payment;
const read = async (client, id) => (await client.get(`/api/payments/${id}`)).body;
const stock = () => stockOf(admin, food);

// The reconciler asks about a payment every 5 s of the server's clock: waits for its word.
function reconciled(id, status) {
  server.clock.advance(LOOK_MS);
  return server.waitFor(() => server.log.find((line) => line.event === 'payment_reconciled' &&
    line.payment_id === id && line.status === status), HANG_MS, `${id} ${status}`);
}

test('provider: creates with a key of the payment, gives its own page', async () => {
  const client = await customer();
  const payment = await placed(client);
  const there = provider.of(payment.id);
  assert.equal(payment.status, 'pending');
  assert.equal(payment.checkout_url, `${provider.url}/checkout/${there.id}`);
  assert.deepEqual([there.amount, there.currency, there.expiresAt],
    [500, 'NGN', payment.expires_at]);
  assert.equal(await stock(), 8);
  assert.equal((await placed(client)).id, payment.id);
  assert.equal(there.creations, 1, 'the same cart asks nobody again');
});

test('provider: tells ten times at once that it was paid: one order', async () => {
  const client = await customer();
  const payment = await placed(client);
  assert.deepEqual(await provider.tell(payment.id, 'paid', { port: server.port, times: 10 }),
    Array(10).fill(200));
  const { order_id: orderId } = await read(client, payment.id);
  const { body: { items } } = await client.get('/api/orders');
  assert.deepEqual(items.map(({ id }) => id), [orderId]);
  assert.equal(await stock(), 8);
});

test('provider: never tells: the reconciler looks and finds it paid', async () => {
  const client = await customer();
  const payment = await placed(client);
  provider.pay(payment.id);
  await reconciled(payment.id, 'paid');
  const { body: order } = await client.post('/api/orders', { payment_id: payment.id },
    { expect: 200 });
  assert.equal(order.total, 500);
  assert.deepEqual((await client.get('/api/cart')).body.items, []);
});

test('provider: never tells: the reconciler looks and finds it failed', async () => {
  const client = await customer();
  const payment = await placed(client);
  provider.fail(payment.id);
  await reconciled(payment.id, 'failed');
  assert.equal(await stock(), 10);
  await client.post('/api/orders', { payment_id: payment.id }, { expect: 'payment_failed' });
});

test('provider: no answer: 503, the hold stays, the same call tries again', async () => {
  const client = await customer();
  provider.set('create', 'down', 'lost', 'answer');
  const headers = { 'idempotency-key': 'once' };
  const { headers: refused } = await placing(client, 'provider_unavailable', { headers });
  assert.ok(Number(refused['retry-after']) >= 1);
  const { body: cart } = await client.get('/api/cart');
  assert.equal(cart.pending_payment.status, 'creating');
  assert.equal(cart.pending_payment.checkout_url, null);
  assert.equal(await stock(), 8);
  await placing(client, 'provider_unavailable', { headers }); // made there, the answer lost
  const { body: { payment } } = await placing(client, 402, { headers });
  assert.equal(payment.id, cart.pending_payment.id);
  assert.equal(payment.status, 'pending');
  assert.equal(provider.of(payment.id).creations, 2, 'by the same key');
  assert.equal([...provider.payments.values()]
    .filter(({ key }) => key === provider.of(payment.id).key).length, 1);
  assert.equal(await stock(), 8);
});

test('provider: no usable answer is none', async () => {
  const client = await customer();
  provider.set('create', 'error', 'garbage', 'answer');
  await placing(client, 'provider_unavailable');
  await placing(client, 'provider_unavailable');
  assert.equal((await placed(client)).status, 'pending');
});

test('provider: no answer: the reconciler creates it', async () => {
  const client = await customer();
  provider.set('create', 'down', 'answer');
  await placing(client, 'provider_unavailable');
  const { body: { pending_payment: { id } } } = await client.get('/api/cart');
  await reconciled(id, 'pending');
  const { body: { payment } } = await placing(client, 402);
  assert.equal(payment.id, id);
  assert.equal(payment.checkout_url, `${provider.url}/checkout/${provider.of(id).id}`);
});

test('provider: answers late: a concurrent placing gets 402 without a page', async () => {
  const client = await customer();
  const before = provider.count('create');
  provider.set('create', 'hold');
  const first = placing(client, 402);
  await provider.waitFor(() => provider.count('create') > before, 'the creation');
  const { body: { payment: second } } = await placing(client, 402);
  assert.equal(second.status, 'creating');
  assert.equal(second.checkout_url, null);
  assert.equal(provider.count('create'), before + 1);
  provider.release();
  const { body: { payment } } = await first;
  assert.equal(payment.id, second.id);
  assert.notEqual(payment.checkout_url, null);
});

test('provider: refuses: the payment failed, nothing is held', async () => {
  const client = await customer();
  provider.set('create', 'refuse');
  await placing(client, 'payment_failed');
  assert.equal((await client.get('/api/cart')).body.pending_payment, null);
  assert.equal(await stock(), 10);
});

test('provider: paid at once: the order', async () => {
  const client = await customer();
  provider.set('create', 'paid');
  const { body: order } = await placing(client, 200);
  assert.equal(order.payment.status, 'paid');
  assert.equal(await stock(), 8);
});

test('provider: another amount is flagged, not an order', async () => {
  const client = await customer();
  const payment = await placed(client);
  provider.pay(payment.id, { amount: 499 });
  server.clock.advance(LOOK_MS);
  const line = await server.waitFor(() => server.log.find(({ event, payment_id: id }) =>
    event === 'payment_needs_attention' && id === payment.id), HANG_MS, 'attention');
  assert.equal(line.reason, 'paid_amount_mismatch');
  assert.equal((await read(client, payment.id)).order_id, null);
  // The rest of the money comes: what is right is the order, and the flag stays.
  provider.pay(payment.id, { amount: 500 });
  await reconciled(payment.id, 'paid');
  assert.notEqual((await read(client, payment.id)).order_id, null);
});

test('provider: given up: held until it confirms', async () => {
  const client = await customer();
  provider.set('cancel', 'down', 'answer');
  const payment = await placed(client);
  await client.delete(`/api/payments/${payment.id}`, { expect: 204 });
  await client.delete(`/api/payments/${payment.id}`, { expect: 'payment_not_open' });
  assert.equal((await read(client, payment.id)).status, 'cancelling');
  assert.equal(await stock(), 8);
  await client.post('/api/orders', { payment_id: payment.id }, { expect: 'payment_cancelled' });
  const next = await placed(client); // it is not in the way
  assert.notEqual(next.id, payment.id);
  assert.equal(await stock(), 6);
  await provider.waitFor(() => provider.calls.some(({ kind, key }) =>
    kind === 'cancel' && key.startsWith(`servery-${payment.id}-`)), 'the cancelling');
  await reconciled(payment.id, 'cancelled');
  assert.equal(await stock(), 8);
});

test('provider: paid while it is being cancelled: the order, from its hold', async () => {
  const client = await customer();
  provider.set('cancel', 'paid');
  const payment = await placed(client);
  await client.put(`/api/foods/${food.id}`, {}, { expect: 403 });
  await admin.put(`/api/foods/${food.id}/stock`, { stock: 0 });
  await client.delete(`/api/payments/${payment.id}`, { expect: 204 });
  await reconciled(payment.id, 'paid');
  const { body: order } = await client.post('/api/orders', { payment_id: payment.id },
    { expect: 200 });
  assert.equal(order.items[0].quantity, 2);
});

test('provider: given up before it was created there', async () => {
  const client = await customer();
  provider.set('create', 'down');
  await placing(client, 'provider_unavailable');
  const { body: { pending_payment: { id } } } = await client.get('/api/cart');
  await client.delete(`/api/payments/${id}`, { expect: 204 });
  await reconciled(id, 'cancelled');
  assert.equal(await stock(), 10);
});

test('provider: expired: held until it confirms, late news is the order', async () => {
  const client = await customer();
  const payment = await placed(client);
  provider.set('cancel', 'down');
  server.clock.advance(HOLD_MS);
  assert.equal((await read(client, payment.id)).status, 'cancelling');
  await client.post('/api/orders', { payment_id: payment.id }, { expect: 'payment_expired' });
  assert.equal(await stock(), 8);
  assert.deepEqual(await provider.tell(payment.id, 'paid', { port: server.port }), [200]);
  assert.equal((await read(client, payment.id)).status, 'paid');
  assert.equal(await stock(), 8);

  provider.set('cancel', 'answer');
  await fillCart(client, [food, 1]);
  const other = await placed(client);
  server.clock.advance(HOLD_MS);
  await reconciled(other.id, 'expired');
  assert.equal(await stock(), 8);
  assert.equal((await read(client, other.id)).status, 'expired');
});

test('provider: expired: its units are not the cart\'s until it confirms', async () => {
  const client = await customer();
  await placed(client);
  await admin.put(`/api/foods/${food.id}/stock`, { stock: 1 });
  provider.set('cancel', 'down');
  assert.equal((await client.get('/api/cart')).body.items[0].problem, null);
  server.clock.advance(HOLD_MS);
  const { body: cart } = await client.get('/api/cart');
  assert.equal(cart.pending_payment, null);
  assert.equal(cart.items[0].problem, 'out_of_stock');
  await placing(client, 'out_of_stock');
});

test('provider: an admin cannot say that it was paid', async () => {
  const client = await customer();
  const payment = await placed(client);
  await admin.post(`/api/admin/payments/${payment.id}/received`, undefined, { expect: 409 });
  assert.equal((await read(client, payment.id)).status, 'pending');
});

test('provider: the token in its address opens that payment alone', async () => {
  const client = await customer();
  const payment = await placed(client);
  const other = await customer();
  const theirs = await placed(other);
  const page = new Client(server, { token: provider.of(payment.id).returnUrl.split('#')[1] });
  assert.equal((await page.get(`/api/payments/${payment.id}`, { expect: 200 })).body.id, payment.id);
  await page.get(`/api/payments/${theirs.id}`, { expect: 401 });
  await page.post(`/api/payments/${theirs.id}/simulate`, { outcome: 'paid' }, { expect: 401 });
  await page.get('/api/orders', { expect: 401 });
});

test('provider: one that hangs keeps eight calls waiting, and nobody else', async () => {
  const plenty = await addFood(admin, { price: 250 });
  const [other, ...customers] = await Promise.all(Array.from({ length: 5 }, () => signUp(server)));
  await Promise.all(customers.map((client) => fillCart(client, plenty)));
  provider.set('create', 'hold');
  const before = provider.count('create');
  const calls = () => provider.count('create') - before;
  // More than there are workers for writes, each note a payment of its own.
  const placings = customers.flatMap((client) => Array.from({ length: 20 }, (_, i) =>
    client.post('/api/orders', { fulfilment: 'pickup', note: `note ${i}` }, { expect: 'any' })));
  const refused = Promise.any(placings.map(async (placing) => {
    const { status, body } = await placing;
    assert.equal(status, 503);
    return body;
  }));
  await provider.waitFor(() => calls() === 8, 'eight calls');
  await fillCart(other, plenty);
  assert.equal((await refused).code, 'provider_unavailable');
  assert.equal(calls(), 8, 'none had to end before others could write');
  provider.set('create', 'answer');
  provider.release();
  for (const { status } of await Promise.all(placings)) {
    assert.ok([402, 409, 410, 429, 503].includes(status), `${status}`);
  }
});
