// The description and the server say the same, and the walk through of the description works.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { description } from '../lib/openapi.mjs';
import { startServer } from '../lib/server.mjs';
import { putPicture } from '../lib/pictures.mjs';
import { addFood, collect, fillCart, logInAdmin, move, place, signUp, simulate } from '../lib/shop.mjs';

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

/* ---- Who may call what, as described ---- */

const OPERATIONS = Object.entries(description.paths).flatMap(([template, item]) =>
  METHODS.filter((method) => item[method]).map((method) => ({
    method: method.toUpperCase(),
    path: template.replace('{id}', '1').replace('{name}', 'nothing.css'),
    ...item[method],
  })));
// No list of ways to prove who one is, or one with nothing to prove: open.
const closed = OPERATIONS.filter(({ security }) => security?.length !== 0 &&
  !security?.some((way) => Object.keys(way).length === 0));

test('openapi: what is described to need a log-in does', async () => {
  assert.ok(closed.length > 25);
  for (const { method, path } of closed)
    await new Client(server).call(method, path, undefined, { expect: 'unauthenticated' });
});

test('openapi: what is described as for admins is refused to others', async () => {
  const user = await signUp(server);
  const forAdmins = closed.filter(({ tags }) => tags.includes('Admin'));
  assert.ok(forAdmins.length >= 11);
  for (const { method, path } of forAdmins)
    await user.call(method, path, undefined, { expect: 'forbidden' });
});

test('openapi: no call with a cookie from another site changes anything', async () => {
  const admin = await logInAdmin(server);
  const browser = new Client(server, { cookie: `servery_session=${admin.token}` });
  for (const { method, path } of closed.filter((operation) => operation.method !== 'GET'))
    await browser.call(method, path, undefined,
      { headers: { 'sec-fetch-site': 'cross-site' }, expect: 'cross_site' });
  await browser.get('/api/me', { expect: 200 });
});

test('openapi: what is described with an ETag gives 304', async () => {
  const admin = await logInAdmin(server);
  const tagged = OPERATIONS.filter(({ responses, path }) => responses['304'] &&
    !path.startsWith('/api/orders/'));
  assert.ok(tagged.length >= 9);
  const { body: food } = await addFood(admin).then((added) => putPicture(admin, added));
  const [asset] = (await admin.get('/')).text.match(/\/assets\/[^"]+/);
  for (const { path: described } of tagged) {
    const [, folder] = described.match(/^\/(images|assets)\//) ?? [];
    const path = { images: food.image_url, assets: asset }[folder] ?? described;
    const { etag } = (await admin.get(path, { expect: 200 })).headers;
    await admin.get(path, { headers: { 'if-none-match': etag }, expect: 304 });
  }
});

test('openapi: every list that takes limit and cursor checks them', async () => {
  const admin = await logInAdmin(server);
  const lists = OPERATIONS.filter(({ parameters }) =>
    parameters?.some(({ $ref }) => $ref === '#/components/parameters/Cursor'));
  assert.equal(lists.length, 6);
  for (const { path } of lists) {
    for (const limit of ['0', '-1', '1000', 'x', ''])
      await admin.get(`${path}?limit=${limit}`, { expect: 'out_of_range' });
    for (const cursor of ['x', '', 'f'.repeat(32), '0'.repeat(31)])
      await admin.get(`${path}?cursor=${cursor}`, { expect: 'invalid_value' });
    await admin.get(`${path}?limit=1`, { expect: 200 });
    await admin.get(`${path}?offset=1`, { expect: 'unknown_field' });
  }
});

test('openapi: health', async () => {
  assert.deepEqual((await new Client(server).get('/healthz')).body, { status: 'ok' });
  assert.deepEqual((await new Client(server).get('/readyz')).body, { status: 'ready' });
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
