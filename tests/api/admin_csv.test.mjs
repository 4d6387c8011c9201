// The orders as a CSV file: what is in it, and how it is sent.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Client, RawConnection } from '../lib/client.mjs';
import { fillOrders } from '../lib/database.mjs';
import { HANG_MS, Server, startServer } from '../lib/server.mjs';
import { addFood, fillCart, logIn, logInAdmin, moveAlong, order, signUp, unique }
  from '../lib/shop.mjs';

const PATH = '/api/admin/orders.csv';
const EXPORTS_MAX = 10; // in src/domain/limits.h
const LINES = 50; // CART_LINES_MAX in src/domain/limits.h
const FILLED = 12000;
const NOTE = '字'.repeat(490); // three bytes each: a file is more than all buffers on its way
const COLUMNS = ['id', 'created_at', 'updated_at', 'status', 'fulfilment', 'customer_id',
  'customer_name', 'customer_email', 'customer_phone', 'items', 'total', 'currency', 'payment_id',
  'payment_status', 'address', 'note'];

let server;  // with a few orders
let admin;
let food;
let large;   // with FILLED orders
let largeAdmin;
let largeUser;
let largeFood;

async function fillLarge() {
  const small = await startServer();
  const boss = await logInAdmin(small);
  largeUser = await signUp(small);
  largeFood = await addFood(boss, { price: 0 });
  await small.end();
  await fillOrders(small.settings.database, largeUser.user.id, largeFood.id, FILLED, NOTE);
  large = await new Server({ dir: small.dir, settings: { workers: 8 } }).start();
  largeAdmin = await logInAdmin(large);
  largeUser = await logIn(large, largeUser.user.email);
}

before(async () => {
  server = await startServer();
  admin = await logInAdmin(server);
  food = await addFood(admin, { price: 123456, name: '+Hot, "pepper" soup' });
  await fillLarge();
});
after(async () => {
  await server.stop();
  await large.stop();
});

/* By a reader that is not ours. Each row an object by the names of the columns. */
function parse(text) {
  const rows = JSON.parse(execFileSync('python3', ['-c',
    'import csv, io, json, sys\n' +
    'text = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="")\n' +
    'json.dump(list(csv.reader(text, strict=True)), sys.stdout)'],
  { input: text, maxBuffer: 1 << 30 }));
  const [names, ...cells] = rows;
  assert.deepEqual(names, COLUMNS);
  return cells.map((row) => {
    assert.equal(row.length, COLUMNS.length);
    return Object.fromEntries(row.map((cell, i) => [COLUMNS[i], cell]));
  });
}

const defused = (text) => (/^[=+\-@＝＋－＠\t\r\n]/.test(text ?? '') ? `'${text}` : text ?? '');

// What the board shows of an order, as it has to stand in the file.
function rowOf(shown) {
  const { customer, payment } = shown;
  return {
    id: String(shown.id), created_at: shown.created_at, updated_at: shown.updated_at,
    status: shown.status, fulfilment: shown.fulfilment, customer_id: String(customer.id),
    customer_name: defused(customer.name), customer_email: defused(customer.email),
    customer_phone: defused(customer.phone),
    items: shown.items.map((line) => `${line.quantity} x ${line.name}`).join('; '),
    total: (shown.total / 100).toFixed(2), currency: shown.currency,
    payment_id: payment ? String(payment.id) : '', payment_status: payment?.status ?? '',
    address: defused(shown.address), note: defused(shown.note),
  };
}

async function file(query = {}) {
  const { text, headers } = await admin.get(`${PATH}?${new URLSearchParams(query)}`);
  assert.equal(headers['content-type'], 'text/csv; charset=utf-8');
  assert.match(headers['content-disposition'], /^attachment; filename="orders-\d{4}-\d\d-\d\d\.csv"$/);
  return parse(text);
}

const board = async (query) =>
  (await admin.get(`/api/admin/orders?${new URLSearchParams({ limit: 100, ...query })}`)).body.items;

/* A client that takes what it has to, and then nothing until resume(). */
async function openSlowly(boss = largeAdmin) {
  if (boss.server === large) exports++;
  const connection = await RawConnection.open(boss.server);
  connection.write(`GET ${PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${boss.token}\r\n\r\n`);
  await connection.until('\r\n\r\n');
  connection.socket.pause();
  return connection;
}

let exports = 0; // begun on the large server; each has a line once it is over
const exportsLogged = () => large.log.filter((line) => line.event === 'orders_exported');
const untilAllLogged = () =>
  large.waitFor(() => exportsLogged().length === exports, HANG_MS, 'the exports end');
const readWhole = async (query = '') => {
  exports++;
  const { text } = await largeAdmin.get(`${PATH}${query}`);
  await untilAllLogged();
  return text;
};

test('csv: nobody else gets it', async () => {
  await (await signUp(server)).get(PATH, { expect: 'forbidden' });
  await new Client(server).get(PATH, { expect: 'unauthenticated' });
});

test('csv: an empty file has its columns', async () => {
  assert.deepEqual(await file({ q: unique('nobody') }), []);
});

test('csv: cells that spreadsheets and readers stumble over', async () => {
  const name = `=HYPERLINK("http://x.test","${unique('Eve')}")`;
  const client = await signUp(server, { name, phone: '0803 333 0001' });
  const plain = await addFood(admin, { price: 5 });
  const nasty = [
    { note: '@SUM(A1)', fulfilment: 'delivery', address: '-12 "Marina",\nLagos' },
    { note: '+1', fulfilment: 'delivery', address: '=cmd|\' /C calc\'!A0' },
    { note: 'a;b\nc,"d"', fulfilment: 'pickup' },
    { note: '\'quoted', fulfilment: 'pickup' },
    { fulfilment: 'pickup' },
  ];
  const placed = [];
  for (const members of nasty) placed.push(await order(client, [[food, 2], plain], members));
  await moveAlong(admin, placed[0], 'cancelled');
  const rows = await file({ q: name });
  assert.deepEqual(rows, (await board({ q: name })).map(rowOf));
  assert.deepEqual(rows.map((row) => +row.id), placed.map(({ id }) => id).reverse());
  for (const row of rows)
    for (const cell of Object.values(row)) assert.doesNotMatch(cell, /^[=+\-@＝＋－＠\t\r\n]/);
  assert.equal(rows.at(-1).total, '2469.17');
  assert.equal(rows.at(-1).status, 'cancelled');
});

test('csv: the filters of the board', async () => {
  const name = unique('Ada');
  const client = await signUp(server, { name });
  const first = await order(client, [food]);
  const second = await order(client, [food]);
  await moveAlong(admin, first, 'ready');
  const at = (await admin.get(`/api/orders/${second.id}`)).body.created_at;
  for (const query of [{ q: name }, { q: name, status: 'ready' }, { q: name, status: 'completed' },
    { q: name, to: at }, { q: name, from: at }, { q: String(second.id) }, { status: 'ready' }, {}])
    assert.deepEqual(await file(query), (await board(query)).map(rowOf));
  await admin.get(`${PATH}?status=eaten`, { expect: 'invalid_value' });
  await admin.get(`${PATH}?from=yesterday`, { expect: 'invalid_value' });
  await admin.get(`${PATH}?limit=5`, { expect: 'unknown_field' });
});

test('csv: HEAD tells what it is and takes no place', async () => {
  for (let i = 0; i < EXPORTS_MAX + 2; i++) {
    const { headers } = await admin.call('HEAD', PATH, undefined, { expect: 200 });
    assert.equal(headers['content-type'], 'text/csv; charset=utf-8');
    assert.equal(headers['content-length'], undefined);
  }
});

test('csv: all of many orders, each once, while others are placed', async () => {
  const placing = (async () => {
    for (let i = 0; i < 30; i++) {
      await fillCart(largeUser, largeFood);
      await largeUser.post('/api/orders', { fulfilment: 'pickup' }, { expect: 201 });
    }
  })();
  const text = await readWhole();
  await placing;
  const rows = parse(text);
  const ids = rows.map((row) => +row.id);
  const old = ids.filter((id) => id <= FILLED);
  assert.equal(old.length, FILLED);
  assert.deepEqual(ids, [...new Set(ids)].sort((a, b) => b - a));
  assert.equal(rows.at(-1).note, NOTE);
  assert.deepEqual([exportsLogged().at(-1).rows, exportsLogged().at(-1).whole], [rows.length, 1]);
});

// Ten files that nobody takes but one, with fewer workers than files. Gives the length of that one.
async function readSlowly() {
  const before = exportsLogged().length;
  const slow = [];
  for (let i = 0; i < EXPORTS_MAX; i++) slow.push(await openSlowly());
  await largeAdmin.get(PATH, { expect: 'too_many_streams' });
  for (let i = 0; i < 20; i++) {
    await fillCart(largeUser, largeFood);
    await largeUser.post('/api/orders', { fulfilment: 'pickup' }, { expect: 201 });
  }
  const reader = slow.pop();
  reader.socket.resume();
  const text = await reader.untilClosed();
  assert.ok(text.endsWith('\r\n0\r\n\r\n'));
  assert.ok(text.length > FILLED * NOTE.length * 3);
  for (const connection of slow) connection.destroy();
  await untilAllLogged();
  const lines = exportsLogged().slice(before);
  assert.equal(lines.filter((line) => line.whole).length, 1);
  // What nobody took was not even read from the database.
  for (const { rows } of lines.filter((line) => !line.whole))
    assert.ok(rows < FILLED, `${rows} rows for a reader that takes none`);
  // Their places are free again.
  await readWhole('?status=ready');
  return text.length;
}

test('csv: slow readers are not read ahead for, hold nobody up and leave nothing behind', async (t) => {
  await readSlowly(); // fills the page caches of the readers
  const before = large.residentBytes;
  const length = await readSlowly();
  const grown = large.residentBytes - before;
  t.diagnostic(`${grown} bytes more after ${EXPORTS_MAX} files of ${length}`);
  if (!large.isSanitized)
    assert.ok(grown < EXPORTS_MAX * length / 4, `${grown} bytes more`);
});

// 50 lines with names of 400 bytes, and a long note: an order of 22 kB, so that pages have few rows.
test('csv: slow readers of long orders cost no more', async () => {
  const orders = 1000;
  const filled = await startServer();
  const { user } = await signUp(filled);
  const seller = await logInAdmin(filled);
  const foods = [];
  for (let i = 0; i < LINES; i++)
    foods.push(await addFood(seller, { price: 0 }));
  await filled.end();
  await fillOrders(filled.settings.database, user.id, foods[0].id, orders, '🍛'.repeat(500), LINES,
    '🍛'.repeat(100));
  const shop = await new Server({ dir: filled.dir, settings: { workers: 8 } }).start();
  try {
    const boss = await logInAdmin(shop);
    const { text } = await boss.get(PATH);
    assert.deepEqual(parse(text).map((row) => +row.id),
      Array.from({ length: orders }, (_, i) => orders - i));
    const rss = shop.residentBytes;
    const slow = [];
    for (let i = 0; i < EXPORTS_MAX; i++) slow.push(await openSlowly(boss));
    // By then they have what they will get: these have come behind their pages.
    const client = await logIn(shop, user.email);
    for (let i = 0; i < 60; i++) await fillCart(client, foods[0]);
    const grown = shop.residentBytes - rss;
    if (!shop.isSanitized)
      assert.ok(grown < Buffer.byteLength(text) * 2, `${grown} bytes more for ${EXPORTS_MAX} files`);
    for (const connection of slow) connection.destroy();
  } finally {
    await shop.stop();
  }
});

test('csv: it is cut when its reader is no admin any more', async () => {
  const second = await signUp(large);
  await largeAdmin.put(`/api/admin/users/${second.user.id}`, { role: 'admin' });
  const boss = await logIn(large, second.user.email);
  const reader = await openSlowly(boss);
  await largeAdmin.put(`/api/admin/users/${second.user.id}`, { role: 'user' });
  reader.socket.resume();
  const text = await reader.untilClosed();
  assert.ok(!text.endsWith('\r\n0\r\n\r\n'));
  await untilAllLogged();
  const line = exportsLogged().at(-1);
  assert.deepEqual([line.level, line.whole], ['warn', 0]);
  assert.ok(line.rows < FILLED);
});

test('csv: it is cut when the server stops, which does not wait for it', async () => {
  const reader = await openSlowly();
  await large.end();
  reader.socket.resume();
  assert.ok(!(await reader.untilClosed()).endsWith('\r\n0\r\n\r\n'));
  assert.equal(large.log.find((line) => line.event === 'stop_late'), undefined);
  await large.start();
});
