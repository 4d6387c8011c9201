// The description and the server say the same, and the walk through of the description works.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { description } from '../lib/openapi.mjs';
import { startServer } from '../lib/server.mjs';
import { collect, fillCart, logInAdmin, move, place, signUp, simulate } from '../lib/shop.mjs';

const SOURCES = new URL('../../src/', import.meta.url);
const METHODS = ['get', 'post', 'put', 'delete'];
let server;

before(async () => { server = await startServer(); });
after(() => server.stop());

test('openapi: the described operations are the rows of the route table', () => {
  const table = readFileSync(new URL('api/routes.c', SOURCES), 'utf8');
  const routes = [...table.matchAll(/\{HTTP_([A-Z]+), "([^"]+)"/g)]
    .map(([, method, path]) => `${method} ${path}`);
  const described = Object.entries(description.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => `${method.toUpperCase()} ${path}`));
  assert.ok(routes.length > 40);
  assert.deepEqual(described.sort(), routes.sort());
});

test('openapi: the described problem codes are those of the program', () => {
  const table = readFileSync(new URL('base/problem.h', SOURCES), 'utf8');
  const codes = [...table.matchAll(/X\([A-Z_]+, ([a-z_]+), \d+,/g)].map(([, code]) => code);
  assert.ok(codes.length > 50);
  assert.deepEqual([...description.components.schemas.Problem.properties.code.enum].sort(),
    codes.sort());
});

test('openapi: every code is on the page that its type links to', async () => {
  const { text } = await new Client(server).get('/errors', { expect: 200 });
  for (const code of description.components.schemas.Problem.properties.code.enum)
    assert.ok(text.includes(`id="${code}"`), code);
});

test('openapi: the server serves this description', async () => {
  const { body } = await new Client(server).get('/api/openapi.json', { expect: 200 });
  assert.deepEqual(body, description);
});

test('openapi: from sign-up to a completed order', async () => {
  const admin = await logInAdmin(server);
  const client = await signUp(server, { name: 'Ada' });
  const { body: menu } = await client.get('/api/foods');
  assert.ok(menu.items.length >= 5, 'demo has a menu');
  const food = menu.items.find((item) => item.available && item.price > 0 &&
    (item.stock === null || item.stock >= 2));
  const cart = await fillCart(client, [food, 2]);
  assert.equal(cart.total, 2 * food.price);

  const payment = await place(client, { expected_total: cart.total });
  assert.equal(payment.amount, cart.total);
  assert.equal((await simulate(server, payment)).status, 'paid');
  const order = await collect(client, payment);
  assert.equal(order.status, 'pending');
  assert.deepEqual((await client.get('/api/cart')).body.items, []);

  for (const status of ['confirmed', 'preparing', 'ready', 'completed'])
    assert.equal((await move(admin, order, status)).status, status);
  const { body: done } = await client.get(`/api/orders/${order.id}`);
  assert.deepEqual(done.events.map((event) => event.to),
    ['pending', 'confirmed', 'preparing', 'ready', 'completed']);
});
