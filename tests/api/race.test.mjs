// Many at once: what must happen only once does.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';
import { PASSWORD, addFood, checkoutOf, collect, fillCart, logIn, logInAdmin, order, place, signUp,
  simulate, stockOf, unique } from '../lib/shop.mjs';

let server;
let admin;
let anyone;
let crowd;

before(async () => {
  server = await startServer({ settings: { trusted_proxies: '127.0.0.1' } });
  admin = await logInAdmin(server);
  anyone = new Client(server);
  crowd = await Promise.all(Array.from({ length: 50 }, () => signUp(server)));
});
after(() => server.stop());

const times = (n, act) => Promise.all(Array.from({ length: n }, (_, i) => act(i)));
const any = { expect: 'any' };
// How many answers had each status or code.
function tally(answers) {
  const counts = {};
  for (const { body, status } of answers) {
    const name = body?.code ?? status;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
const ordersOf = async (client) => (await client.get('/api/orders?limit=100')).body.items;
const newPlace = (client) => client.post('/api/orders', { fulfilment: 'pickup' }, any);

test('race: the last unit wanted by 50 users is held once', async () => {
  const food = await addFood(admin, { stock: 1 });
  await Promise.all(crowd.map((client) => fillCart(client, food)));
  const answers = await Promise.all(crowd.map(newPlace));
  assert.deepEqual(tally(answers), { payment_required: 1, out_of_stock: 49 });
  assert.equal(await stockOf(anyone, food), 0);
  const winner = crowd[answers.findIndex((answer) => answer.status === 402)];
  await simulate(server, answers.find((answer) => answer.status === 402).body.payment);
  assert.equal((await ordersOf(winner)).length, 1);
  await Promise.all(crowd.map((client) => client.delete('/api/cart')));
});

test('race: one order placed 20 times at once is one payment', async () => {
  const client = await signUp(server);
  const food = await addFood(admin, { stock: 5 });
  await fillCart(client, [food, 2]);
  const answers = await times(20, () => newPlace(client));
  assert.deepEqual(tally(answers), { payment_required: 20 });
  const ids = new Set(answers.map((answer) => answer.body.payment.id));
  assert.equal(ids.size, 1);
  assert.equal(await stockOf(anyone, food), 3);
});

test('race: a free order placed 20 times at once is one order', async () => {
  const client = await signUp(server);
  await fillCart(client, await addFood(admin, { price: 0, stock: 5 }));
  assert.deepEqual(tally(await times(20, () => newPlace(client))), { 201: 1, cart_empty: 19 });
  assert.equal((await ordersOf(client)).length, 1);
});

test('race: an outcome delivered 10 times at once is one order', async () => {
  const client = await signUp(server);
  const food = await addFood(admin, { stock: 5 });
  await fillCart(client, [food, 2]);
  const payment = await place(client);
  const news = await times(10, () => simulate(server, payment));
  assert.equal(new Set(news.map((body) => body.order_id)).size, 1);
  const collected = await times(10, () => collect(client, payment));
  assert.equal(new Set(collected.map((body) => JSON.stringify(body))).size, 1);
  assert.deepEqual((await ordersOf(client)).map((item) => item.id), [news[0].order_id]);
  assert.equal(await stockOf(anyone, food), 3);
});

test('race: received and paid from both sides at once is one order', async () => {
  const client = await signUp(server);
  await fillCart(client, await addFood(admin));
  const payment = await place(client);
  await times(10, (i) => (i % 2
    ? simulate(server, payment)
    : admin.post(`/api/admin/payments/${payment.id}/received`)));
  assert.equal((await ordersOf(client)).length, 1);
});

test('race: paid against failed and given up: one of them wins', async () => {
  for (let round = 0; round < 8; round++) {
    const client = crowd[round];
    const food = await addFood(admin, { stock: 3 });
    await fillCart(client, food);
    const payment = await place(client);
    const page = checkoutOf(server, payment);
    const say = (outcome) => page.post(`/api/payments/${payment.id}/simulate`, { outcome }, any);
    const end = round % 2 ? () => say('failed')
      : () => client.delete(`/api/payments/${payment.id}`, any);
    const [paid, ended] = await Promise.all([say('paid'), end()]);
    const { status } = (await client.get(`/api/payments/${payment.id}`)).body;
    const orders = (await ordersOf(client)).filter((item) => item.payment?.id === payment.id);
    if (status === 'paid') {
      assert.deepEqual([paid.status, ended.status, orders.length], [200, 409, 1]);
      assert.equal(await stockOf(anyone, food), 2);
    } else {
      assert.ok(ended.status < 300, `it was ${status}`);
      assert.equal(orders.length, 0);
      assert.equal(await stockOf(anyone, food), 3);
    }
    await client.delete('/api/cart');
  }
});

test('race: two admins changing one order at once', async () => {
  const second = await signUp(server);
  await admin.put(`/api/admin/users/${second.user.id}`, { role: 'admin' });
  const other = await logIn(server, second.user.email);
  const food = await addFood(admin, { price: 100, stock: 10 });
  for (const [one, two] of [['confirmed', 'confirmed'], ['confirmed', 'cancelled'],
    ['cancelled', 'cancelled']]) {
    for (const version of [undefined, 1]) {
      const before = await stockOf(anyone, food);
      const placed = await order(crowd[0], [food]);
      const put = (by, status) =>
        by.put(`/api/orders/${placed.id}/status`, { status, version }, any);
      const answers = await Promise.all([put(admin, one), put(other, two)]);
      const { body } = await admin.get(`/api/orders/${placed.id}`);
      const done = answers.filter((answer) => answer.status === 200).length;
      // Without a version the second may still be legal: cancelled after confirmed.
      const both = !version && one !== two && done === 2;
      assert.equal(done, both ? 2 : 1, `${one} and ${two}`);
      assert.equal(body.events.length, 1 + done);
      assert.equal(body.version, 1 + done);
      assert.equal(await stockOf(anyone, food), body.status === 'cancelled' ? before : before - 1);
    }
  }
});

test('race: a cart edited on a second device while paying loses nothing', async () => {
  for (let round = 0; round < 10; round++) {
    const client = crowd[round];
    const second = new Client(server, { token: client.token });
    const [food, extra] = [await addFood(admin), await addFood(admin)];
    await fillCart(client, [food, 2]);
    const payment = await place(client);
    await Promise.all([
      simulate(server, payment),
      second.post('/api/cart/items', { food_id: food.id, quantity: 1 }),
      second.post('/api/cart/items', { food_id: extra.id, quantity: 1 }),
    ]);
    const placed = await collect(client, payment);
    assert.deepEqual(placed.items.map((line) => [line.food_id, line.quantity]), [[food.id, 2]]);
    const { body: cart } = await client.get('/api/cart');
    const left = new Map(cart.items.map((line) => [line.food_id, line.quantity]));
    // Edited before it was paid the line stays as edited; after, there is the one that was added.
    assert.ok([1, 3].includes(left.get(food.id)), `${left.get(food.id)} left`);
    assert.equal(left.get(extra.id), 1);
    await client.delete('/api/cart');
  }
});

test('race: carts that cross over the same foods neither oversell nor block', async () => {
  const foods = [];
  for (let i = 0; i < 5; i++) foods.push(await addFood(admin, { stock: 10, price: 100 }));
  const buyers = crowd.slice(0, 40);
  await Promise.all(buyers.map((client, i) =>
    fillCart(client, ...(i % 2 ? foods : [...foods].reverse()))));
  const answers = await Promise.all(buyers.map(newPlace));
  assert.deepEqual(tally(answers), { payment_required: 10, out_of_stock: 30 });
  const payments = answers.filter((answer) => answer.status === 402)
    .map((answer) => answer.body.payment);
  await Promise.all(payments.map((payment, i) => simulate(server, payment, i % 2 ? 'paid' : 'failed')));
  for (const food of foods) assert.equal(await stockOf(anyone, food), 5);
  await Promise.all(buyers.map((client) => client.delete('/api/cart')));
});

test('race: stock added while plates are sold', async () => {
  const food = await addFood(admin, { stock: 20, price: 0 });
  await Promise.all([
    ...crowd.slice(0, 20).map(async (client) => {
      await fillCart(client, food);
      await client.post('/api/orders', { fulfilment: 'pickup' }, { expect: 201 });
    }),
    times(20, () => admin.put(`/api/foods/${food.id}/stock`, { add: 1 })),
  ]);
  assert.equal(await stockOf(anyone, food), 20);
});

test('race: edits of one food with a version: one goes through', async () => {
  const food = await addFood(admin);
  const answers = await times(10, (i) =>
    admin.put(`/api/foods/${food.id}`, { price: i, version: 1 }, any));
  assert.deepEqual(tally(answers), { 200: 1, version_conflict: 9 });
});

test('race: the currency and the first payment agree', async () => {
  const fresh = await startServer();
  try {
    const owner = await logInAdmin(fresh);
    const client = await signUp(fresh);
    await fillCart(client, await addFood(owner));
    const [placed, put] = await Promise.all([
      newPlace(client), owner.put('/api/shop', { currency: 'USD' }, any)]);
    assert.ok([200, 409].includes(put.status));
    const { body } = await owner.get('/api/shop');
    assert.equal(body.currency, placed.body.payment.currency);
  } finally {
    await fresh.stop();
  }
});

/* ---- Accounts ---- */

async function pending(email, i) {
  const { body } = await anyone.post('/api/signup', { email, password: PASSWORD },
    { expect: 201, headers: { 'x-forwarded-for': `192.0.2.${i + 1}` } });
  server.secrets.add(body.signup_token);
  return body.signup_token;
}

test('race: one code sent 10 times at once verifies once', async () => {
  const email = `${unique()}@example.org`;
  const token = await pending(email, 0);
  const otp = await server.otp(email);
  const answers = await times(10, () =>
    anyone.post('/api/verify-otp', { signup_token: token, otp }, any));
  assert.deepEqual(tally(answers), { 200: 1, not_found: 9 });
});

test('race: 20 wrong codes at once are five tries', async () => {
  const email = `${unique()}@example.org`;
  const token = await pending(email, 0);
  const otp = await server.otp(email);
  const answers = await times(20, (i) => anyone.post('/api/verify-otp',
    { signup_token: token, otp: String((Number(otp) + i + 1) % 1e6).padStart(6, '0') }, any));
  assert.deepEqual(tally(answers), { otp_invalid: 5, otp_locked: 15 });
  await anyone.post('/api/verify-otp', { signup_token: token, otp }, { expect: 'otp_locked' });
});

test('race: 8 sign-ups of one email verified at once are one user', async () => {
  const email = `${unique()}@example.org`;
  const tokens = await times(8, (i) => pending(email, i));
  await server.otp(email, 8);
  const codes = server.mails.filter((mail) => mail.to === email)
    .map((mail) => mail.text.match(/^\d{6}$/m)[0]);
  for (const code of codes) server.secrets.add(code);
  // Which code is whose is not said: each token tries until one fits.
  const answers = await Promise.all(tokens.map(async (signup_token) => {
    for (const otp of codes) {
      const answer = await anyone.post('/api/verify-otp', { signup_token, otp }, any);
      if (answer.body.code !== 'otp_invalid') return answer;
    }
    return undefined;
  }));
  const counts = tally(answers.filter(Boolean));
  assert.equal(counts[200] ?? 0, 1, JSON.stringify(counts));
  const { body } = await admin.get(`/api/admin/users?q=${email}`);
  assert.equal(body.items.length, 1);
});

test('race: a reset link used 5 times at once works once', async () => {
  const client = await signUp(server);
  await anyone.post('/api/password-reset', { email: client.user.email });
  const token = (await server.mail(client.user.email, /#token=(\S+)/))[1];
  server.secrets.add(token);
  const answers = await times(5, (i) => anyone.post('/api/password-reset/confirm',
    { token, new_password: `${PASSWORD} ${i}` }, any));
  assert.deepEqual(tally(answers), { 204: 1, token_expired: 4 });
});

test('race: a log-out among 20 calls: each is done or refused, and none after it', async () => {
  const client = await logIn(server, crowd[0].user.email);
  const food = await addFood(admin);
  const calls = times(20, () =>
    client.post('/api/cart/items', { food_id: food.id, quantity: 1 }, any));
  await client.post('/api/logout');
  await client.get('/api/cart', { expect: 401 });
  const done = (await calls).filter((answer) => answer.status === 200).length;
  assert.equal(tally(await calls).unauthenticated ?? 0, 20 - done);
  const { body } = await (await logIn(server, crowd[0].user.email)).get('/api/cart');
  assert.equal(body.items.find((line) => line.food_id === food.id)?.quantity ?? 0, done);
});
