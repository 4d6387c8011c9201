// What admins see and do: the board, the users, the money that came.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { ADMIN, startServer } from '../lib/server.mjs';
import { addFood, logIn, logInAdmin, moveAlong, order, signUp, unique } from '../lib/shop.mjs';

let server;
let admin;
let food;

before(async () => {
  server = await startServer();
  admin = await logInAdmin(server);
  food = await addFood(admin, { price: 100 });
});
after(() => server.stop());

const board = async (query, expect) =>
  (await admin.get(`/api/admin/orders?${new URLSearchParams(query)}`, { expect })).body;
const ids = (page) => page.items.map((item) => item.id);
const manage = (client, members, expect = 200) =>
  admin.put(`/api/admin/users/${client.user.id}`, members, { expect });

test('admin: nobody else gets in', async () => {
  const user = await signUp(server);
  const anyone = new Client(server);
  for (const [method, path, body] of [['GET', '/api/admin/orders'], ['GET', '/api/admin/users'],
    ['PUT', `/api/admin/users/${user.user.id}`, { role: 'admin' }],
    ['POST', '/api/admin/payments/1/received']]) {
    await user.call(method, path, body, { expect: 'forbidden' });
    await anyone.call(method, path, body, { expect: 'unauthenticated' });
  }
});

test('admin: the board shows orders with their customers, newest first', async () => {
  const name = unique('Ada');
  const client = await signUp(server, { name, phone: '0803 222 0001' });
  const first = await order(client, [food]);
  const second = await order(client, [food], { fulfilment: 'delivery', address: '12 Marina' });
  await moveAlong(admin, first, 'ready');
  const mine = await board({ q: name });
  assert.deepEqual(ids(mine), [second.id, first.id]);
  assert.deepEqual(mine.items[0].customer,
    { id: client.user.id, name, email: client.user.email, phone: '+2348032220001' });
  assert.deepEqual(ids(await board({ q: client.user.email.toUpperCase() })), [second.id, first.id]);
  assert.deepEqual(ids(await board({ q: '2348032220001' })), [second.id, first.id]);
  assert.ok(ids(await board({ q: String(first.id) })).includes(first.id));
  assert.deepEqual(ids(await board({ q: name, status: 'ready' })), [first.id]);
  assert.deepEqual(ids(await board({ q: name, status: 'pending' })), [second.id]);
  assert.deepEqual(ids(await board({ q: name, status: 'cancelled' })), []);
  assert.deepEqual(ids(await board({ q: `${name}%` })), []);
  const page = await board({ q: name, limit: '1' });
  assert.deepEqual(ids(page), [second.id]);
  assert.deepEqual(ids(await board({ q: name, limit: '1', cursor: page.next_cursor })), [first.id]);
  assert.equal((await client.get(`/api/orders/${first.id}`)).body.customer, undefined);
  assert.equal((await admin.get(`/api/orders/${first.id}`)).body.customer.name, name);
});

test('admin: the board by time, from inclusive and to exclusive', async () => {
  const name = unique('Timely');
  const placed = await order(await signUp(server, { name }), [food]);
  const at = placed.created_at;
  const later = new Date(new Date(at).getTime() + 1).toISOString();
  assert.deepEqual(ids(await board({ q: name, from: at, to: later })), [placed.id]);
  assert.deepEqual(ids(await board({ q: name, from: later })), []);
  assert.deepEqual(ids(await board({ q: name, to: at })), []);
  await board({ from: 'yesterday' }, 'invalid_value');
  await board({ to: '2026-13-01' }, 'invalid_value');
  await board({ status: 'eaten' }, 'invalid_value');
  await board({ limit: '101' }, 'out_of_range');
  await board({ limit: '100' }, 200);
  await board({ cursor: 'x' }, 'invalid_value');
  await board({ colour: 'red' }, 'unknown_field');
});

test('admin: users are found by email, name and phone', async () => {
  const name = unique('Findable');
  const { user } = await signUp(server, { name, phone: '0803 222 0002' });
  const find = async (q) =>
    (await admin.get(`/api/admin/users?${new URLSearchParams({ q })}`)).body.items;
  for (const q of [name, name.toUpperCase(), user.email, '0803-222-0002', '+2348032220002'])
    assert.deepEqual(await find(q), [user]);
  assert.deepEqual(await find('nobody like this'), []);
  const { body } = await admin.get('/api/admin/users?limit=1');
  assert.deepEqual(body.items, [user], 'the newest first');
  const { body: rest } = await admin.get(`/api/admin/users?limit=100&cursor=${body.next_cursor}`);
  assert.ok(rest.items.every((item) => item.id < user.id) && rest.items.length > 0);
});

test('admin: a change of role ends the sessions at once', async () => {
  const client = await signUp(server);
  assert.equal((await manage(client, { role: 'admin' })).body.role, 'admin');
  await client.get('/api/me', { expect: 401 });
  const promoted = await logIn(server, client.user.email);
  await promoted.get('/api/admin/users', { expect: 200 });
  await manage(client, { role: 'user' });
  await promoted.get('/api/admin/users', { expect: 401 });
  await promoted.post('/api/foods', { name: 'Too late', price: 1 }, { expect: 401 });
  const demoted = await logIn(server, client.user.email);
  await demoted.get('/api/admin/users', { expect: 'forbidden' });
});

test('admin: saying what already is ends no session', async () => {
  const client = await signUp(server);
  await manage(client, { role: 'user', disabled: false });
  await client.get('/api/me', { expect: 200 });
});

test('admin: a phone can be taken away and nothing else changed', async () => {
  const client = await signUp(server, { phone: '0803 222 0003' });
  assert.equal((await manage(client, { phone: null })).body.phone, null);
  await manage(client, { phone: '0803 222 0004' }, 'invalid_value');
  await manage(client, { role: 'owner' }, 'invalid_value');
  await manage(client, { disabled: 'yes' }, 'wrong_type');
  await manage(client, { email: 'x@example.org' }, 'unknown_field');
  await manage({ user: { id: 999999 } }, { disabled: true }, 404);
  await signUp(server, { phone: '0803 222 0003' });
});

test('admin: the last admin stays', async () => {
  const me = admin.user;
  await manage({ user: me }, { role: 'user' }, 'last_admin');
  await manage({ user: me }, { disabled: true }, 'last_admin');
  const second = await signUp(server);
  await manage(second, { role: 'admin' });
  const other = await logIn(server, second.user.email);
  await other.put(`/api/admin/users/${me.id}`, { disabled: true });
  // A disabled admin is none: the other is the last now.
  await other.put(`/api/admin/users/${second.user.id}`, { role: 'user' }, { expect: 'last_admin' });
  await other.put(`/api/admin/users/${me.id}`, { disabled: false });
  admin = await logInAdmin(server);
  await manage(second, { role: 'user' });
});

test('admin: two admins cannot demote each other at once', async () => {
  const second = await signUp(server);
  await manage(second, { role: 'admin' });
  const other = await logIn(server, second.user.email);
  const answers = await Promise.all([
    admin.put(`/api/admin/users/${second.user.id}`, { role: 'user' }, { expect: 'any' }),
    other.put(`/api/admin/users/${admin.user.id}`, { role: 'user' }, { expect: 'any' }),
  ]);
  const statuses = answers.map((answer) => answer.status).sort();
  assert.equal(statuses.filter((status) => status === 200).length, 1);
  await server.makeAdmin();
  admin = await logInAdmin(server);
});

test('admin: `admin create` makes, promotes and replaces beside the running server', async () => {
  const client = await signUp(server);
  await server.makeAdmin(client.user.email, 'another password');
  await client.get('/api/me', { expect: 401 });
  const promoted = await logIn(server, client.user.email, 'another password');
  assert.deepEqual([promoted.user.role, promoted.user.id], ['admin', client.user.id]);
  await server.makeAdmin('brand.new@example.org', 'yet another password');
  assert.equal((await logIn(server, 'brand.new@example.org', 'yet another password')).user.role,
    'admin');
  await server.makeAdmin(ADMIN.email, ADMIN.password);
  admin = await logInAdmin(server);
});
