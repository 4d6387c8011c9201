// The menu: reading, searching and paging it, and what admins change in it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';
import { addFood, fillCart, logInAdmin, order, place, signUp, simulate, stockOf, unique }
  from '../lib/shop.mjs';

let server;
let anyone;
let admin;
let user;

before(async () => {
  server = await startServer({ mode: 'serve',
    settings: { payment: 'test', allow_test_payments: 'yes' } });
  await server.makeAdmin();
  anyone = new Client(server);
  admin = await logInAdmin(server);
  user = await signUp(server);
});
after(() => server.stop());

const names = (answer) => answer.body.items.map((food) => food.name);
const put = (food, members, expect) => admin.put(`/api/foods/${food.id}`, members, { expect });

test('menu: a new food has defaults for what is not sent', async () => {
  const { body, headers } = await admin.post('/api/foods', { name: ' Plain ', price: 0 },
    { expect: 201 });
  assert.equal(headers.location, `/api/foods/${body.id}`);
  const { id, created_at: created, updated_at: updated, ...rest } = body;
  assert.deepEqual(rest, { name: 'Plain', price: 0, description: '', category: 'Other',
    available: true, stock: null, image_url: null, version: 1 });
  assert.equal(created, updated);
  assert.deepEqual((await anyone.get(`/api/foods/${id}`)).body, body);
});

test('menu: texts and numbers have limits on both sides', async () => {
  const attempt = async (members, expect) => {
    const { body } = await admin.post('/api/foods', { name: unique('Limit'), price: 1, ...members },
      { expect });
    return body;
  };
  assert.equal((await attempt({ name: '🍲'.repeat(100) }, 201)).name, '🍲'.repeat(100));
  await attempt({ name: '🍲'.repeat(101) }, 'too_long');
  await attempt({ name: '' }, 'too_short');
  await attempt({ name: '  ' }, 'too_short');
  await attempt({ name: 'a\nb' }, 'control_character');
  await attempt({ description: 'x'.repeat(2000) }, 201);
  await attempt({ description: 'x'.repeat(2001) }, 'too_long');
  assert.equal((await attempt({ description: 'two\nlines' }, 201)).description, 'two\nlines');
  await attempt({ description: 'a\u0000b' }, 'malformed_json');
  await attempt({ description: 'a\tb' }, 'control_character');
  await attempt({ category: 'x'.repeat(100) }, 201);
  await attempt({ category: 'x'.repeat(101) }, 'too_long');
  assert.equal((await attempt({ price: 1e12 }, 201)).price, 1e12);
  await attempt({ price: 1e12 + 1 }, 'out_of_range');
  await attempt({ price: -1 }, 'out_of_range');
  await attempt({ price: 1.5 }, 'wrong_type');
  await attempt({ price: '1' }, 'wrong_type');
  await attempt({ price: null }, 'wrong_type');
  await attempt({ stock: 0 }, 201);
  await attempt({ stock: 1e9 }, 201);
  await attempt({ stock: 1e9 + 1 }, 'out_of_range');
  await attempt({ stock: -1 }, 'out_of_range');
  await attempt({ available: 'yes' }, 'wrong_type');
  const { body } = await admin.post('/api/foods', { price: 'x', colour: 'red' }, { expect: 422 });
  assert.deepEqual(body.errors.map((row) => [row.field, row.code]).sort(), [
    ['colour', 'unknown_field'], ['name', 'required'], ['price', 'wrong_type']]);
});

test('menu: only admins change it', async () => {
  const food = await addFood(admin);
  const at = `/api/foods/${food.id}`;
  const calls = [['POST', '/api/foods', { name: 'Mine', price: 1 }], ['PUT', at, { price: 1 }],
    ['PUT', `${at}/price`, { price: 1 }], ['PUT', `${at}/availability`, { available: false }],
    ['PUT', `${at}/stock`, { stock: 1 }], ['DELETE', at]];
  for (const [method, path, body] of calls) {
    await user.call(method, path, body, { expect: 'forbidden' });
    await anyone.call(method, path, body, { expect: 'unauthenticated' });
  }
  assert.deepEqual((await anyone.get(at)).body, food);
});

test('menu: a missing member means unchanged, and each edit moves the version', async () => {
  const food = await addFood(admin, { description: 'As it was', category: 'Soups', stock: 5 });
  const { body } = await put(food, { name: 'Renamed' }, 200);
  const { updated_at: updated, ...rest } = body;
  const { updated_at: _, ...before } = food;
  assert.deepEqual(rest, { ...before, name: 'Renamed', version: 2 });
  assert.ok(updated >= food.updated_at);
  const { body: uncounted } = await put(food, { stock: null }, 200);
  assert.deepEqual([uncounted.stock, uncounted.version], [null, 3]);
});

test('menu: a stale version is refused, the present one is not', async () => {
  const food = await addFood(admin, { stock: 5 });
  await put(food, { price: 100, version: 1 }, 200);
  await put(food, { price: 200, version: 1 }, 'version_conflict');
  for (const [part, members] of [['price', { price: 5 }], ['availability', { available: false }],
    ['stock', { stock: 1 }]])
    await admin.put(`/api/foods/${food.id}/${part}`, { ...members, version: 1 },
      { expect: 'version_conflict' });
  const { body } = await put(food, { price: 300, version: 2 }, 200);
  assert.deepEqual([body.price, body.version], [300, 3]);
  await put(food, { version: 0 }, 'out_of_range');
});

test('menu: a sale moves the stock and not the version', async () => {
  const food = await addFood(admin, { stock: 5 });
  await order(await signUp(server), [[food, 2]]);
  const { body } = await anyone.get(`/api/foods/${food.id}`);
  assert.deepEqual([body.stock, body.version], [3, 1]);
  await put(food, { price: 1000, version: 1 }, 200);
});

test('menu: no answer shows stock older than one before it', async () => {
  const food = await addFood(admin, { stock: 30 });
  const client = await signUp(server);
  for (let left = 29; left >= 25; left--) {
    await fillCart(client, food);
    const payment = await place(client);
    assert.equal(await stockOf(anyone, food), left);
    const { body } = await anyone.get('/api/foods?limit=500');
    assert.equal(body.items.find((item) => item.id === food.id).stock, left);
    await simulate(server, payment);
  }
});

test('menu: stock is set, added to, taken from, and no longer counted', async () => {
  const food = await addFood(admin, { stock: 5 });
  const set = async (members, expect = 200) =>
    (await admin.put(`/api/foods/${food.id}/stock`, members, { expect })).body.stock;
  assert.equal(await set({ stock: 7 }), 7);
  assert.equal(await set({ add: 3 }), 10);
  assert.equal(await set({ add: -10 }), 0);
  await set({ add: -1 }, 'out_of_range');
  await set({ stock: 1e9 });
  await set({ add: 1 }, 'out_of_range');
  assert.equal(await set({ stock: null }), null);
  await set({ add: 1 }, 'stock_not_counted');
  await set({}, 'required');
  await set({ stock: 1, add: 1 }, 'invalid_value');
  assert.equal(await set({ stock: 0 }), 0);
});

test('menu: price and availability by their own calls', async () => {
  const food = await addFood(admin);
  const at = `/api/foods/${food.id}`;
  assert.equal((await admin.put(`${at}/price`, { price: 7 })).body.price, 7);
  await admin.put(`${at}/price`, {}, { expect: 'required' });
  assert.equal((await admin.put(`${at}/availability`, { available: false })).body.available, false);
  await admin.put(`${at}/availability`, { available: 1 }, { expect: 'wrong_type' });
  assert.equal((await anyone.get(at)).body.version, 3);
});

test('menu: a deleted food is gone, once', async () => {
  const food = await addFood(admin);
  const at = `/api/foods/${food.id}`;
  await admin.delete(at, { expect: 204 });
  await anyone.get(at, { expect: 'food_not_found' });
  await admin.delete(at, { expect: 'food_not_found' });
  await put(food, { price: 1 }, 'food_not_found');
  await admin.put(`${at}/stock`, { stock: 1 }, { expect: 'food_not_found' });
  assert.ok(!names(await anyone.get('/api/foods?limit=500')).includes(food.name));
});

test('menu: sorted by category and name, filtered and searched', async () => {
  const mark = unique('zz');
  for (const [name, category, available] of [[`b ${mark}`, `A ${mark}`, true],
    [`Äpfel ${mark}`, `B ${mark}`, true], [`A ${mark}`, `A ${mark}`, false],
    [`Zoo ${mark}`, `B ${mark}`, true]])
    await addFood(admin, { name, category, available, description: `About ${mark}, 100% _real_` });
  const list = (query) => anyone.get(`/api/foods?${new URLSearchParams(query)}`);
  assert.deepEqual(names(await list({ q: mark })).slice(0, 2), [`A ${mark}`, `b ${mark}`]);
  assert.equal(names(await list({ q: mark })).length, 4);
  assert.deepEqual(names(await list({ q: `ZOO ${mark}` })), [`Zoo ${mark}`]);
  assert.equal(names(await list({ q: `about ${mark.toUpperCase()}` })).length, 4);
  assert.equal(names(await list({ q: `${mark}, 100% _REAL_` })).length, 4);
  assert.deepEqual(names(await list({ q: `100%_${mark}` })), []);
  assert.deepEqual(names(await list({ category: `A ${mark}` })), [`A ${mark}`, `b ${mark}`]);
  assert.deepEqual(names(await list({ category: `A ${mark}`, available: 'true' })), [`b ${mark}`]);
  assert.deepEqual(names(await list({ category: `A ${mark}`, available: 'false' })), [`A ${mark}`]);
  const { body } = await anyone.get('/api/categories');
  assert.deepEqual(body.items.filter((item) => item.name.endsWith(mark)),
    [{ name: `A ${mark}`, count: 2 }, { name: `B ${mark}`, count: 2 }]);
});

test('menu: pages hold every food once, in order', async () => {
  const category = unique('Pages');
  for (const name of ['c', 'a', 'e', 'b', 'd', 'a']) await addFood(admin, { name, category });
  const seen = [];
  let pages = 0;
  for (let cursor = ''; cursor !== null; pages++) {
    const query = new URLSearchParams({ category, limit: '2', ...(cursor && { cursor }) });
    const answer = await anyone.get(`/api/foods?${query}`);
    seen.push(...names(answer));
    cursor = answer.body.next_cursor;
  }
  assert.deepEqual(seen, ['a', 'a', 'b', 'c', 'd', 'e']);
  assert.equal(pages, 3);
});

test('menu: parameters are checked', async () => {
  const attempt = async (query, code, field) => {
    const { body } = await anyone.get(`/api/foods?${query}`, { expect: code });
    assert.equal(body.errors[0].field, field);
  };
  await attempt('limit=0', 'out_of_range', 'limit');
  await attempt('limit=501', 'out_of_range', 'limit');
  await attempt('limit=x', 'out_of_range', 'limit');
  await attempt('cursor=x', 'invalid_value', 'cursor');
  await attempt('available=maybe', 'invalid_value', 'available');
  await attempt('page=2', 'unknown_field', 'page');
  await attempt('q=a&q=b', 'invalid_value', 'q');
  await attempt('q=%ff', 'invalid_value', 'q');
  for (const query of ['q=%', 'q=%a', 'q=%zz', 'q=%2', 'q=a%4g', '%zz=1'])
    await anyone.get(`/api/foods?${query}`, { expect: 'malformed_request' });
  await anyone.get('/api/foods?limit=1', { expect: 200 });
  await anyone.get('/api/foods?limit=500', { expect: 200 });
});

test('menu: an ETag gives 304 until something changes', async () => {
  const food = await addFood(admin);
  for (const path of ['/api/foods', '/api/foods?limit=500', `/api/foods/${food.id}`,
    '/api/categories']) {
    const etag = (await anyone.get(path)).headers.etag;
    const again = await anyone.get(path, { headers: { 'if-none-match': etag }, expect: 304 });
    assert.equal(again.text, '');
    const weak = { 'if-none-match': `"other", W/${etag}` };
    await anyone.get(path, { headers: weak, expect: 304 });
    await anyone.get(path, { headers: { 'if-none-match': '*' }, expect: 304 });
    await put(food, { price: Math.floor(Math.random() * 1e9), category: unique('New') }, 200);
    const changed = await anyone.get(path, { headers: { 'if-none-match': etag }, expect: 200 });
    assert.notEqual(changed.headers.etag, etag);
  }
});
