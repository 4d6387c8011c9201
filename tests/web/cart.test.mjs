// The cart in the races that a browser test meets only by luck: answers that are old, a session that
// ends, a guest's lines that join. The shop here is a cart that the test answers for, call by call.
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from '../lib/bundle.mjs';

const kept = new Map();
globalThis.localStorage = {
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, value),
  removeItem: (name) => kept.delete(name),
};
globalThis.BroadcastChannel = class { postMessage() {} };
Object.defineProperty(globalThis, 'navigator', { value: {} });

const { account, clearCart, enter, foods, guest, keepCartFresh, lines, loadCart, me, quantityOf, refusals,
  setQuantity, settled, wasEnded } = await load('src/state/cart.ts', 'src/state/guest.ts', 'src/state/menu.ts',
  'src/state/session.ts');
keepCartFresh();

const DISH = { id: 1, name: 'Suya' };
const USER = { id: 7, role: 'user' };
const cart = (...quantities) => ({
  items: quantities.map((quantity, i) => ({
    food_id: i + 1, name: 'Suya', image_url: null, quantity, unit_price: 100, line_total: 100 * quantity, problem: null,
  })).filter((line) => line.quantity > 0),
  total: 0, currency: 'NGN', pending_payment: null,
});

/* The calls that wait for an answer, in their order. */
let calls = [];
globalThis.fetch = (url, { method, body, headers }) => new Promise((resolve) => {
  calls.push({
    method, url, body: body && JSON.parse(body), key: headers['Idempotency-Key'],
    answer: (what, status = 200) => resolve(Response.json(what, { status, headers: { 'X-Request-Id': 'a' } })),
  });
});
const turns = async () => {
  for (let i = 0; i < 50; i++)
    await Promise.resolve();
  await new Promise(setImmediate);
};
async function next(method, path) {
  await turns();
  const i = calls.findIndex((each) => each.method === method && each.url.startsWith(path));
  assert.notEqual(i, -1, `${method} ${path} was not called: ${calls.map((each) => each.url)}`);
  return calls.splice(i, 1)[0];
}

async function begin({ user = null, has = cart() } = {}) {
  calls = [];
  document.hidden = true; // nothing is read by itself
  foods.value = [{ id: 1, name: 'Suya', price: 100, available: true, stock: null }, { id: 2, name: 'Dodo', price: 50, available: true, stock: 2 }];
  wasEnded.value = false;
  me.value = null;
  guest.value = [];
  if (user) {
    me.value = user;
    account.value = has;
  }
}

test('quick taps show at once; the last is what is sent after the first', async () => {
  await begin({ user: USER });
  for (const quantity of [1, 2, 3])
    setQuantity(DISH, quantity);
  assert.equal(quantityOf(1), 3);
  const first = await next('PUT', '/api/cart/items/1');
  assert.equal(calls.length, 0);
  first.answer(cart(first.body.quantity));
  const second = await next('PUT', '/api/cart/items/1');
  assert.equal(second.body.quantity, 3);
  assert.equal(quantityOf(1), 3);
  second.answer(cart(3));
  await settled();
  assert.equal(account.value.items[0].quantity, 3);
});

test('a tap while the first is under way is not undone by its answer', async () => {
  await begin({ user: USER });
  setQuantity(DISH, 1);
  const first = await next('PUT', '/api/cart');
  setQuantity(DISH, 5);
  first.answer(cart(1));
  await turns();
  assert.equal(quantityOf(1), 5);
  (await next('PUT', '/api/cart')).answer(cart(5));
  await settled();
});

test('a cart that was asked for before a change does not replace what the change answered', async () => {
  await begin({ user: USER, has: cart(1) });
  const reading = loadCart();
  const old = await next('GET', '/api/cart');
  setQuantity(DISH, 4);
  (await next('PUT', '/api/cart')).answer(cart(4));
  await settled();
  old.answer(cart(1));
  await reading;
  assert.equal(quantityOf(1), 4);
});

test('a refused change is said and taken back', async () => {
  await begin({ user: USER, has: cart(1) });
  setQuantity(DISH, 9);
  (await next('PUT', '/api/cart')).answer({ code: 'food_unavailable' }, 409);
  (await next('GET', '/api/cart')).answer(cart(1));
  (await next('GET', '/api/foods')).answer({ items: foods.value, next_cursor: null });
  await settled();
  assert.equal(quantityOf(1), 1);
  assert.ok(refusals.value.get(1));
  setQuantity(DISH, 2);
  assert.equal(refusals.value.get(1), undefined);
  (await next('PUT', '/api/cart')).answer(cart(2));
  await settled();
});

test('what was added when the session ended waits, without what the account has', async () => {
  await begin({ user: USER, has: cart(2) });
  setQuantity(DISH, 5);
  (await next('PUT', '/api/cart')).answer({ code: 'unauthenticated' }, 401);
  await settled();
  assert.equal(me.value, null);
  assert.deepEqual(guest.value.map(({ food_id, quantity }) => [food_id, quantity]), [[1, 3]]);
});

test('the answer to one user is not shown to the next', async () => {
  await begin({ user: USER, has: cart(1) });
  setQuantity(DISH, 2);
  const put = await next('PUT', '/api/cart');
  me.value = { id: 8, role: 'user' };
  assert.equal(account.value, null);
  put.answer(cart(2));
  await settled();
  assert.equal(account.value, null);
  assert.deepEqual(lines.value, []);
});

test('what is tapped before the account is there is added to it, not set', async () => {
  await begin();
  me.value = USER;
  setQuantity(DISH, 1);
  assert.equal(quantityOf(1), 1);
  const entering = enter();
  const post = await next('POST', '/api/cart/items');
  assert.deepEqual(post.body, { food_id: 1, quantity: 1 });
  post.answer(cart(3));
  (await next('GET', '/api/cart')).answer(cart(3));
  await entering;
  assert.equal(quantityOf(1), 3);
  assert.deepEqual(guest.value, []);
});

/* It was kept for the next visit, and shown by nobody until then. */
test('what is tapped while the account is read is added to it', async () => {
  await begin();
  me.value = USER;
  const entering = enter();
  const reading = await next('GET', '/api/cart');
  setQuantity(DISH, 1);
  enter();
  assert.equal(quantityOf(1), 1);
  reading.answer(cart(2));
  const post = await next('POST', '/api/cart/items');
  assert.deepEqual(post.body, { food_id: 1, quantity: 1 });
  post.answer(cart(3));
  (await next('GET', '/api/cart')).answer(cart(3));
  await entering;
  assert.equal(quantityOf(1), 3);
  assert.deepEqual(guest.value, []);
});

test('a guest line that is repeated without an answer keeps its key, and what comes on top has another', async () => {
  await begin();
  setQuantity(DISH, 2);
  me.value = USER;
  let entering = enter();
  const lost = await next('POST', '/api/cart/items');
  setQuantity(DISH, 3);
  lost.answer({ code: 'unavailable' }, 503);
  (await next('GET', '/api/cart')).answer({ code: 'unavailable' }, 503);
  await assert.rejects(entering);
  entering = enter();
  const again = await next('POST', '/api/cart/items');
  assert.equal(again.key, lost.key);
  assert.equal(again.body.quantity, 2);
  again.answer(cart(2));
  (await next('GET', '/api/cart')).answer(cart(2));
  const more = await next('POST', '/api/cart/items');
  assert.notEqual(more.key, lost.key);
  assert.equal(more.body.quantity, 1);
  more.answer(cart(3));
  (await next('GET', '/api/cart')).answer(cart(3));
  await entering;
  assert.deepEqual(guest.value, []);
  assert.equal(quantityOf(1), 3);
});

test('a guest is told when there are not that many, and at the last line', async () => {
  await begin();
  setQuantity({ id: 2, name: 'Dodo' }, 3);
  assert.equal(quantityOf(2), 0);
  assert.equal(refusals.value.get(2), 'Only 2 left.');
  for (let id = 100; id < 150; id++)
    setQuantity({ id, name: `Dish ${id}` }, 1);
  setQuantity(DISH, 1);
  assert.equal(lines.value.length, 50);
  assert.match(refusals.value.get(1), /50 different/);
});

test('emptying waits for what is under way, and is not undone by it', async () => {
  await begin({ user: USER, has: cart(1) });
  setQuantity(DISH, 2);
  const put = await next('PUT', '/api/cart');
  const emptying = clearCart();
  await turns();
  assert.equal(calls.length, 0);
  put.answer(cart(2));
  (await next('DELETE', '/api/cart')).answer(cart());
  await emptying;
  assert.deepEqual(lines.value, []);
});
