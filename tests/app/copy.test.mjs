// `servery copy`: a shop in another database, as an operator moves it; what is refused, and what is left
// of a copy that came to no end. With PostgreSQL (script/with-postgres) from and to that, too.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Random, seed } from '../faults/random.mjs';
import { buildDir, run } from '../lib/build.mjs';
import { Client } from '../lib/client.mjs';
import { databaseIn, dropDatabaseOf, fillOrders, onPostgresql, postgresqlOnly, sql }
  from '../lib/database.mjs';
import { pictureOf, putPicture } from '../lib/pictures.mjs';
import { PROGRAM, startServer } from '../lib/server.mjs';
import { addFood, fillCart, logInAdmin, moveAlong, order, place, signUp, simulate, unique }
  from '../lib/shop.mjs';

const KILLS = 10;
const MOST_BYTES = 96 * 1024 * 1024; // of 150 MB of notes

const dir = mkdtempSync(join(tmpdir(), 'servery-copy-'));
const random = new Random();
const folders = [];
after(() => {
  for (const folder of folders) dropDatabaseOf(folder);
  rmSync(dir, { recursive: true, force: true });
});

const servery = (...args) => run(PROGRAM, args, { cwd: dir });
const copy = (from, to, ...more) => servery('copy', '--from', from, `--to=${to}`, ...more);

/* The setting of a database that is not there yet, or has nothing in it. */
function newDatabase(kind) {
  const folder = join(dir, unique(kind));
  mkdirSync(folder);
  if (kind === 'sqlite') return `sqlite:${join(folder, 'servery.db')}`;
  folders.push(folder);
  return databaseIn(folder);
}

const WAYS = onPostgresql
  ? [['sqlite', 'postgresql'], ['postgresql', 'sqlite'], ['postgresql', 'postgresql']]
  : [['sqlite', 'sqlite']];
const KIND = onPostgresql ? 'postgresql' : 'sqlite';

let tables; // name → [{column, blob}]

before(async () => {
  const empty = newDatabase('sqlite');
  assert.equal((await servery('migrate', '--database', empty)).code, 0);
  const names = await sql(empty, `SELECT m.name, c.name, c.type FROM sqlite_schema m,
    pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'
    AND m.name <> 'schema_migrations' ORDER BY m.name, c.cid`);
  tables = {};
  for (const line of names.split('\n')) {
    const [table, column, type] = line.split('|');
    (tables[table] ??= []).push({ column, blob: type === 'BLOB' });
  }
  assert.ok(Object.keys(tables).length > 15);
});

/* All rows of all tables as text, the same from either engine. */
async function dump(database) {
  const hex = database.startsWith('sqlite:') ? (column) => `lower(hex(${column}))`
    : (column) => `encode(${column}, 'hex')`;
  const rows = {};
  for (const [table, columns] of Object.entries(tables)) {
    const cells = columns.map(({ column, blob }) =>
      `CASE WHEN ${column} IS NULL THEN '~' ELSE ${blob ? hex(column) : `CAST(${column} AS TEXT)`} END`);
    const text = await sql(database, `SELECT ${cells.join(" || '|' || ")} FROM ${table}`);
    rows[table] = text.split('\n').sort();
  }
  return rows;
}

async function assertSame(from, to) {
  const [here, there] = await Promise.all([dump(from), dump(to)]);
  for (const table of Object.keys(tables)) assert.deepEqual(there[table], here[table], table);
}

const settings = { payment: 'test', allow_test_payments: 'yes', mail: 'log',
  mail_from: 'Shop <shop@example.com>' };
const keyed = (key, expect) => ({ headers: { 'idempotency-key': key }, expect });

/* A shop in which all of its tables have rows, and payments and orders are in all their states.
 * Closed when this returns. */
async function fillShop(t, kind) {
  const database = newDatabase(kind);
  const secret_file = join(dir, unique('key'));
  const server = await startServer({ mode: 'serve', settings: { ...settings, database, secret_file } });
  const shop = { server, database, secret_file, customers: {} };
  t.after(() => rmSync(server.dir, { recursive: true, force: true }));
  await server.makeAdmin();
  const admin = shop.admin = await logInAdmin(server);
  const rice = shop.rice = await addFood(admin, { stock: 500, price: 250 });
  shop.picture = pictureOf(1000 * 1024);
  shop.image = (await putPicture(admin, rice, shop.picture)).body.image_url;
  await putPicture(admin, await addFood(admin), pictureOf(700 * 1024, 'other'));
  const customer = async (name) => (shop.customers[name] = await signUp(server));

  const regular = await customer('regular');
  shop.orders = {};
  for (const status of ['pending', 'confirmed', 'preparing', 'ready', 'out_for_delivery', 'completed',
    'cancelled']) {
    const placed = await order(regular, [[rice, 2]],
      { fulfilment: 'delivery', address: 'Straße 1 | "é"\n2nd', note: "it's" });
    shop.orders[status] = await moveAlong(admin, placed, status);
  }
  await fillCart(regular, [rice, 3]);
  await signUp(server, { referral_code: regular.user.referral_code });
  shop.answer = await regular.post('/api/cart/items', { food_id: rice.id, quantity: 1 }, keyed('k1'));

  const pending = await customer('pending');
  await fillCart(pending, rice);
  shop.payment = await place(pending);
  const failing = await customer('failing');
  await fillCart(failing, rice);
  await simulate(server, await place(failing), 'failed');
  const cancelling = await customer('cancelling');
  await fillCart(cancelling, rice);
  const given = await place(cancelling);
  await cancelling.delete(`/api/payments/${given.id}`);
  await simulate(server, given, 'paid'); // too late: flagged
  const late = await customer('late');
  await fillCart(late, rice);
  const overdue = await place(late);
  await sql(database, `UPDATE payments SET expires_at = 1 WHERE id = ${overdue.id}`);
  await place(late, { note: 'another' }); // which ends the former one

  await new Client(server).post('/api/signup',
    { email: `${unique()}@example.org`, password: 'long enough' }, { expect: 201 });
  await new Client(server).post('/api/login',
    { identifier: regular.user.email, password: 'not the right one' }, { expect: 401 });
  await server.end();

  /* With a provider and a mail server that are not there. */
  const lonely = await startServer({ mode: 'serve', dir: server.dir, settings: { ...settings, database,
    secret_file, mail: 'smtp+plain://127.0.0.1:1', test_provider_url: 'http://127.0.0.1:1' } });
  for (const name of ['creating', 'given up']) {
    const client = Object.assign(failing, { server: lonely });
    await fillCart(client, [rice, name === 'creating' ? 1 : 2]);
    await client.post('/api/orders', { fulfilment: 'pickup', note: name }, { expect: 503 });
  }
  await new Client(lonely).post('/api/password-reset', { email: regular.user.email });
  await lonely.waitFor(() => lonely.log.find((line) => line.event === 'mail_retried'), 60000,
    'a mail that does not leave');
  await lonely.end();
  return shop;
}

async function assertEverythingIsThere(database) {
  const states = async (table) => (await sql(database,
    `SELECT DISTINCT status FROM ${table} ORDER BY status`)).split('\n');
  for (const [table, rows] of Object.entries(await dump(database))) assert.ok(rows.join(''), table);
  assert.deepEqual((await states('payments')).sort(),
    ['cancelled', 'cancelling', 'creating', 'expired', 'failed', 'paid', 'pending']);
  assert.equal((await states('orders')).length, 7);
  assert.ok((await states('outbox')).includes('waiting'));
}

/* Opens the shop where it has been moved to: nobody notices. */
async function assertOpens(shop, database) {
  const server = await startServer({ mode: 'serve',
    settings: { ...settings, database, secret_file: shop.secret_file } });
  try {
    const on = (client) => Object.assign(client, { server });
    const { regular, pending } = shop.customers;
    assert.deepEqual((await on(regular).get('/api/me')).body, regular.user);
    for (const [status, placed] of Object.entries(shop.orders)) {
      const { body } = await regular.get(`/api/orders/${placed.id}`);
      assert.equal(body.status, status);
      assert.deepEqual(body.items, placed.items);
      assert.deepEqual(body.events, placed.events);
    }
    const again = await regular.post('/api/cart/items', { food_id: shop.rice.id, quantity: 1 },
      keyed('k1'));
    assert.equal(again.headers['idempotency-replayed'], 'true');
    assert.equal(again.text, shop.answer.text);
    assert.deepEqual((await new Client(server).get(shop.image)).raw, shop.picture.bytes);
    assert.match((await server.mail(regular.user.email, /\/reset#token=(\S+)/))[1], /^[\w-]{20,}$/);

    const last = Math.max(...Object.values(shop.orders).map((placed) => placed.id));
    await simulate(server, shop.payment);
    const { body } = await on(pending).post('/api/orders', { payment_id: shop.payment.id });
    assert.ok(body.id > last);
    const newcomer = await signUp(server);
    assert.ok(newcomer.user.id > pending.user.id);
    assert.ok((await order(newcomer, [shop.rice])).id > body.id);
    assert.equal((await on(shop.admin).get('/api/admin/orders')).body.items.length, 9);
  } finally {
    await server.stop();
  }
}

for (const [from, to] of WAYS) {
  test(`a shop moves from ${from} to ${to}, and nobody notices`, async (t) => {
    const shop = await fillShop(t, from);
    await assertEverythingIsThere(shop.database);
    const target = newDatabase(to);
    const { code, stdout, stderr } = await copy(shop.database, target);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^ +7 users$/m);
    assert.match(stdout, /checked 2 foods, \d+ payments, 7 orders: 0 breaches/);
    assert.match(stdout, /keep secret_file/);
    await assertSame(shop.database, target);

    const back = newDatabase(from);
    assert.equal((await copy(target, back)).code, 0);
    await assertSame(shop.database, back);
    const second = await copy(shop.database, target);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /--to is not empty/);
    await assertSame(shop.database, target);
    await assertOpens(shop, target);
  });
}

/* It analysed the catalog, too, and said of each of fifty tables that only a superuser may. */
test('a role that only owns its database copies into it without a warning', postgresqlOnly, async (t) => {
  const url = new URL(newDatabase('postgresql'));
  await sql(url.href, `CREATE ROLE only_owner LOGIN;
    ALTER DATABASE ${url.pathname.slice(1)} OWNER TO only_owner`);
  url.username = 'only_owner';
  const shop = await fillShop(t, 'sqlite');
  const { code, stderr } = await copy(shop.database, url.href);
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /"event":/);
  assert.equal(await sql(url.href, `SELECT count(DISTINCT tablename) FROM pg_stats
    WHERE schemaname = 'public' AND tablename IN ('users', 'foods', 'orders')`), '3');
});

/* ---- What is refused ---- */

async function newShop(kind) {
  const database = newDatabase(kind);
  const { code, stderr } = await servery('migrate', '--database', database);
  assert.equal(code, 0, stderr);
  return database;
}

for (const [args, words] of [
  [[], /usage: servery copy/],
  [['--from', 'sqlite:a.db'], /usage/],
  [['--to=sqlite:a.db'], /usage/],
  [['--from', 'sqlite:a.db', '--to'], /unknown option --to/],
  [['--from=a.db', '--to=sqlite:b.db'], /--from: must be sqlite:FILE/],
  [['--from=sqlite:a.db', '--to=mysql://h/b'], /--to: must be sqlite:FILE/],
  [['--from=sqlite:a.db', '--to=sqlite:a.db'], /the same database/],
  [['--from=sqlite:a.db', '--to=sqlite:b.db', 'word'], /unexpected word/],
]) {
  test(`copy ${args.join(' ')} is refused in words, and makes no file`, async () => {
    const { code, stderr } = await servery('copy', ...args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, words);
    assert.ok(!existsSync(join(dir, 'a.db')) && !existsSync(join(dir, 'b.db')));
  });
}

test('what is no shop of this version is not copied', async () => {
  const target = newDatabase('sqlite');
  const shop = await newShop('sqlite');
  const other = newDatabase('sqlite');
  const text = newDatabase('sqlite');
  await sql(other, 'CREATE TABLE t (a)');
  writeFileSync(text.slice('sqlite:'.length), 'To whom it may concern\n'.repeat(200));
  const refused = async (from, words) => {
    const { code, stderr } = await copy(from, target);
    assert.equal(code, 1);
    assert.match(stderr, words);
    assert.ok(!existsSync(target.slice('sqlite:'.length)), 'the target was not touched');
  };
  await refused('sqlite:/nowhere/at/all.db', /no such database/);
  await refused(text, /no SQLite database/);
  await refused(other, /--from is not a shop's database/);
  const newest = await sql(shop, 'SELECT MAX(version) FROM schema_migrations');
  await sql(shop, `DELETE FROM schema_migrations WHERE version = ${newest}`);
  await refused(shop, /older version.*servery migrate/s);
  await sql(shop, "INSERT INTO schema_migrations VALUES (999, 'to come', 0)");
  await refused(shop, /database_newer/);
});

test('one file by two names is not copied into itself', async () => {
  const shop = await newShop('sqlite');
  const file = shop.slice('sqlite:'.length);
  const { code, stderr } = await copy(shop, `sqlite:${file.replace('/servery.db', '/./servery.db')}`);
  assert.equal(code, 1);
  assert.match(stderr, /the same database/);
});

test(`what is served is not copied, on ${KIND}: neither from nor to`, async () => {
  const [served, other] = [newDatabase(KIND), await newShop(KIND)];
  const server = await startServer({ mode: 'serve', settings: { database: served } });
  try {
    const from = await copy(served, newDatabase(KIND));
    assert.equal(from.code, 1);
    assert.match(from.stderr, /--from is served/);
    const to = await copy(other, served);
    assert.equal(to.code, 1);
    assert.match(to.stderr, /--to is served/);
  } finally {
    await server.end();
  }
  assert.equal((await copy(served, other)).code, 0);
  rmSync(server.dir, { recursive: true, force: true });
});

test(`a shop with a breach is not moved, from ${KIND}, and it is told of`, async () => {
  const [from, to] = [await newShop(KIND), newDatabase(KIND)];
  await sql(from, `INSERT INTO foods (name, description, category, price, available, taken,
    created_at, updated_at) VALUES ('Rice', '', '', 1, 1, 3, 0, 0)`);
  const { code, stdout, stderr } = await copy(from, to);
  assert.equal(code, 1);
  assert.match(stdout, /breach: food_taken 1/);
  assert.match(stderr, /break the rules there too/);
  await assertHalf(to);
  await sql(from, 'UPDATE foods SET taken = 0');
  assert.equal((await copy(from, to)).code, 0);
  await assertSame(from, to);
});

test('rows that refer to none are not copied', async () => {
  const [from, to] = [await newShop('sqlite'), newDatabase('sqlite')];
  await sql(from, 'PRAGMA foreign_keys = OFF; INSERT INTO cart_items VALUES (7, 7, 1, 1, 0)');
  const { code, stderr } = await copy(from, to);
  assert.equal(code, 1);
  assert.match(stderr, /database_error.*FOREIGN KEY.*there is no copy/s);
  await assertHalf(to);
});

/* ---- Half copies ---- */

const isHalf = async (database) =>
  (await sql(database, 'SELECT COUNT(*) FROM shop').catch(() => '1')) === '0';

async function assertHalf(database) {
  assert.ok(await isHalf(database));
  const key = `--secret-file=${join(dir, 'half.key')}`;
  for (const command of [['serve', '--listen=127.0.0.1:0', key], ['check'], ['migrate'],
    ['admin', 'accept-secret', key], ['copy', '--from', database, '--to', newDatabase('sqlite')]]) {
    const { code, stderr } = await servery(...command, `--database=${database}`);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /"database_half_copied".*servery copy/, command.join(' '));
  }
  if (!database.startsWith('sqlite:')) return;
  const backup = await servery('backup', join(dir, unique('backup')), `--database=${database}`);
  assert.equal(backup.code, 1);
  assert.match(backup.stderr, /database_half_copied/);
}

/* A shop with so many free orders of one customer, each with a note. */
async function largeShop(kind, orders, note) {
  const database = await newShop(kind);
  await sql(database, `INSERT INTO users (id, email, email_key, search_key, role, password_hash,
    referral_code, created_at) VALUES (7, 'a', 'a', 'a', 'user', '', 'a', 1);
    INSERT INTO foods (id, name, description, category, price, available, created_at, updated_at)
    VALUES (3, 'Rice', '', '', 0, 1, 1, 1)`);
  await fillOrders(database, 7, 3, orders, note);
  return database;
}

const start = (from, to) => {
  const child = spawn(join(buildDir, PROGRAM), ['copy', '--from', from, '--to', to],
    { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  child.out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => { child.out += text; });
  child.ended = once(child, 'close');
  return child;
};

test(`a kill at any moment leaves half a copy on ${KIND}, and the next one is whole`, async (t) => {
  t.diagnostic(`SERVERY_SEED=${seed}`);
  const from = await largeShop('sqlite', 10000, 'x');
  let to = newDatabase(KIND);
  const begun = performance.now();
  assert.equal((await copy(from, newDatabase(KIND))).code, 0);
  const ms = performance.now() - begun;
  let halves = 0;
  for (let i = 0; i < KILLS; i++) {
    const child = start(from, to);
    await new Promise((resolve) => setTimeout(resolve, random.next() * ms));
    child.kill('SIGKILL');
    const [code] = await child.ended;
    const half = await isHalf(to);
    if (half && !halves++) await assertHalf(to);
    if (code === 0) to = newDatabase(KIND); // it was done before
  }
  assert.ok(halves > 0);
  t.diagnostic(`${halves} of ${KILLS} were half`);
  const { code, stderr } = await copy(from, to);
  assert.ok(code === 0 || /--to is not empty/.test(stderr), stderr);
  await assertSame(from, to);
  assert.equal((await servery('check', '--database', to)).code, 0);
});

/* The connection that keeps servers away, too: one may have begun to serve meanwhile. */
test('a copy whose connections were cut is none', postgresqlOnly, async () => {
  const [from, to] = [await largeShop('sqlite', 30000, 'x'), newDatabase('postgresql')];
  const child = start(from, to);
  while (!(await isHalf(to)) && child.exitCode === null);
  await sql(to, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`);
  assert.deepEqual(await child.ended, [1, null], child.out);
  assert.match(child.out, /there is no copy/);
  await assertHalf(to);
  const { code, stderr } = await copy(from, to);
  assert.equal(code, 0, stderr);
  await assertSame(from, to);
});

/* As much as is copied in a second and more, in the memory of a page. */
test(`100,000 orders to ${KIND}: told of, ended by a signal, then copied in little memory`,
  async (t) => {
    const from = await largeShop('sqlite', 100000, '米'.repeat(500));
    const to = newDatabase(KIND);
    const child = start(from, to);
    while (!/^copying \w+: \d+ of \d+ rows; \d+% of all$/m.test(child.out) && child.exitCode === null)
      await Promise.race([once(child.stderr, 'data'), child.ended]);
    child.kill('SIGTERM');
    assert.deepEqual(await child.ended, [1, null], child.out);
    assert.match(child.out, /it was stopped\n.*there is no copy\n.*begins anew/s);
    await assertHalf(to);

    const measure = `import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)`;
    const python = spawn('python3', ['-c', measure, join(buildDir, PROGRAM), 'copy', '--from', from,
      '--to', to], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, said] = ['', ''];
    python.stdout.on('data', (text) => { out += text; });
    python.stderr.on('data', (text) => { said += text; });
    await once(python, 'close');
    const [code, kilobytes] = out.trim().split(' ').map(Number);
    assert.equal(code, 0, said);
    assert.match(said, /--to is half a copy; it is emptied/);
    t.diagnostic(`${kilobytes} KB at most`);
    const libraries = execFileSync('ldd', [join(buildDir, PROGRAM)], { encoding: 'utf8' });
    if (!/lib[at]san/.test(libraries)) assert.ok(kilobytes * 1024 < MOST_BYTES, `${kilobytes} KB`);
    await assertSame(from, to);
  });
