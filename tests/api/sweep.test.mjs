// What is over is forgotten, in its time and not before, also by a server that was down meanwhile.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { sql } from '../lib/database.mjs';
import { HANG_MS, Server, startServer } from '../lib/server.mjs';
import { addFood, fillCart, logInAdmin, order, place, signUp, stockOf, unique } from '../lib/shop.mjs';

const MINUTE_MS = 60 * 1000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const TABLES = ['attempts', 'signups', 'idempotency_keys', 'password_resets', 'outbox', 'sessions'];

async function counts(server) {
  const rows = await sql(server.settings.database,
    TABLES.map((table) => `SELECT '${table}', count(*) FROM ${table}`).join(' UNION ALL '));
  return Object.fromEntries(rows.split('\n').map((row) => row.split('|'))
    .map(([table, n]) => [table, Number(n)]));
}

/* Nobody is told of what the sweeper did: it is looked for, and not for ever. */
async function until(done, what) {
  for (const end = performance.now() + HANG_MS; !await done();)
    assert.ok(performance.now() < end, `not within ${HANG_MS} ms: ${what}`);
}

/* A shop that has been used, at rest. All codes are mailed, so nothing waits. */
async function used() {
  const server = await startServer({ mode: 'serve', clock: true,
    settings: { payment: 'test', allow_test_payments: 'yes' } });
  await server.makeAdmin();
  const admin = await logInAdmin(server);
  const rice = await addFood(admin, { stock: 5 });
  const customer = await signUp(server);
  await order(customer, [[rice, 1]]);
  await fillCart(customer, rice);
  await customer.post('/api/orders', { fulfilment: 'pickup' },
    { expect: 402, headers: { 'Idempotency-Key': 'k' } });
  const anyone = new Client(server);
  const email = `${unique()}@example.org`;
  await anyone.post('/api/signup', { email, password: 'long enough' }, { expect: 201 });
  await server.otp(email);
  await anyone.post('/api/login', { identifier: email, password: 'wrong guess' }, { expect: 401 });
  await anyone.post('/api/password-reset', { email: customer.user.email }, { expect: 202 });
  await server.mail(customer.user.email, /#token=(\S+)/);
  await server.end();
  return server;
}

test('each kind of row is forgotten when its time is over, and no other with it', async () => {
  const former = await used();
  const rest = await counts(former);
  for (const table of TABLES) assert.ok(rest[table] > 0, table);
  let later;
  try {
    for (const [ms, gone] of [
      [HOUR_MS, ['attempts']],
      [DAY_MS, ['signups', 'idempotency_keys']],
      [DAY_MS + 30 * MINUTE_MS, ['password_resets']],
      [7 * DAY_MS, ['outbox']],
      [30 * DAY_MS, ['sessions']],
    ]) {
      later = new Server({ mode: 'serve', dir: former.dir, clock: true,
        settings: { payment: 'test', allow_test_payments: 'yes' } });
      later.clock.advance(ms + MINUTE_MS);
      await later.start();
      for (const table of gone) rest[table] = 0;
      // All of them go in one transaction.
      await until(async () => (await counts(later))[gone[0]] === 0, `${gone[0]} are forgotten`);
      assert.deepEqual(await counts(later), rest, `after ${ms / HOUR_MS} hours`);
      await later.end();
      await later.checkData();
    }
  } finally {
    later?.child.kill('SIGKILL');
    former.removeData();
  }
});

test('a hold ends in time, while the server runs and while it does not', async () => {
  for (const down of [false, true]) {
    let server = await startServer({ mode: 'serve', clock: true,
      settings: { payment: 'test', allow_test_payments: 'yes' } });
    await server.makeAdmin();
    const admin = await logInAdmin(server);
    const rice = await addFood(admin, { stock: 5 });
    const customer = await signUp(server);
    await fillCart(customer, [rice, 2]);
    const payment = await place(customer);
    if (down) {
      await server.end();
      const { dir } = server;
      server = new Server({ mode: 'serve', dir, clock: true,
        settings: { payment: 'test', allow_test_payments: 'yes' } });
      server.clock.advance(16 * MINUTE_MS);
      await server.start();
    } else {
      server.clock.advance(16 * MINUTE_MS);
    }
    const anyone = new Client(server);
    await until(async () => await stockOf(anyone, rice) === 5, 'the hold ends');
    assert.equal(await sql(server.settings.database,
      `SELECT status FROM payments WHERE id = ${payment.id}`), 'expired');
    await server.stop();
  }
});
