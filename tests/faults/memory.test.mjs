// Out of memory at any allocation: of the commands, of the server's start, and of a call. The program
// ends with a word, or goes on without what it could not have; the data stay sound, and no order that
// was acknowledged is lost.
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import test from 'node:test';
import { run } from '../lib/build.mjs';
import { PROGRAM } from '../lib/server.mjs';
import { Memory, sample } from './memory.mjs';
import { Random, seed } from './random.mjs';
import { Caller, Lost, Shop } from './shop.mjs';

// Allocations of a sanitized program are the sanitizer's.
const skip = /asan|tsan/.test(process.env.SERVERY_BUILD ?? '');

const picture = readFileSync(new URL('../pictures/7x5.png', import.meta.url));
const ENDED_OF_IT = 1;
const USAGE = 2;

// GLib, which knows the time zones, ends a program in its own way.
const endedByGlib = (signal, stderr) => ['SIGABRT', 'SIGTRAP'].includes(signal) &&
  /failed to allocate \d+ bytes/.test(stderr);

// How a program ended whose allocations failed: by itself, and not without a reason.
function assertEnded({ code, signal, stderr }, what) {
  if (endedByGlib(signal, stderr)) return;
  assert.equal(signal, null, `${what}: ended by ${signal}\n${stderr}`);
  assert.ok([0, ENDED_OF_IT, USAGE].includes(code), `${what}: exit code ${code}\n${stderr}`);
  if (code !== 0) assert.notEqual(stderr.trim(), '', `${what}: no reason given`);
}

// Each run tries other allocations.
function seeded(t) {
  t.diagnostic(`SERVERY_SEED=${seed}`);
  return new Random();
}

async function shopWithMemory(t) {
  const shop = new Shop();
  const memory = new Memory(shop.dir);
  t.after(async () => {
    memory.close();
    await shop.remove();
  });
  shop.env = { ...shop.env, ...memory.environment() };
  return { shop, memory };
}

// Who is gone has closed its port, or cuts the connection off.
async function answers(shop) {
  const caller = new Caller(shop.port);
  const answer = await caller.call('GET', '/healthz').catch(() => null);
  caller.close();
  return answer !== null;
}

async function assertOutOfMemory(shop, nth) {
  const [code, signal] = await shop.ended();
  if (endedByGlib(signal, shop.lastStderr)) return;
  assert.deepEqual([code, signal], [ENDED_OF_IT, null], `allocation ${nth}: ${shop.stderr}`);
  assert.ok(shop.log.some((line) => line.event === 'out_of_memory'), shop.stderr);
}

/* ---- Commands ---- */

for (const args of [['version'], ['config'], ['migrate'], ['check'], ['serve', '--help']]) {
  test(`servery ${args.join(' ')}`, { skip }, async (t) => {
    const random = seeded(t);
    const { shop, memory } = await shopWithMemory(t);
    const { database, secret_file: secretFile } = shop.settings;
    const options = { env: shop.env };
    const all = [...args, ...(['version', 'serve'].includes(args[0]) ? []
      : [`--database=${database}`, `--secret-file=${secretFile}`])];

    // The first run makes what the others find.
    if (args[0] === 'check') await run(PROGRAM, ['migrate', `--database=${database}`]);
    memory.disarm();
    assert.equal((await run(PROGRAM, all, options)).code, 0);
    const made = memory.made;
    assert.ok(made > 0, 'no allocation was counted');
    for (const more of [0, made])
      for (const nth of sample(made, 40, random)) {
        if (args[0] === 'migrate')
          for (const end of ['', '-wal', '-shm']) rmSync(shop.file + end, { force: true });
        memory.arm(nth, more);
        assertEnded(await run(PROGRAM, all, options), `allocation ${nth} of ${made}, ${more} more`);
      }
  });
}

/* ---- The start ---- */

test('serve, from its first allocation to its first answer', { skip }, async (t) => {
  const random = seeded(t);
  const { shop, memory } = await shopWithMemory(t);
  await shop.start();
  await shop.end();
  memory.disarm();
  await shop.start();
  const made = memory.made;
  await shop.end();
  assert.ok(made > 100, `${made} allocations`);

  const outcomes = { served: 0, ended: 0 };
  for (const nth of sample(made, 120, random)) {
    memory.arm(nth);
    const ended = await shop.start().then(() => null, (error) => error);
    memory.disarm();
    if (ended) {
      const [code, signal] = await shop.ended();
      assertEnded({ code, signal, stderr: shop.lastStderr }, `allocation ${nth} of ${made}`);
      outcomes.ended += 1;
      continue;
    }
    // A library may do without, or the allocation is that of the first connection.
    if (await answers(shop)) {
      await shop.end();
    } else {
      await assertOutOfMemory(shop, nth);
    }
    outcomes.served += 1;
  }
  t.diagnostic(JSON.stringify({ made, ...outcomes }));
  assert.ok(outcomes.ended > 20);
  await shop.start();
  await shop.checkData();
});

/* ---- Calls ---- */

// A customer's and an admin's calls, each with what it needs made ready first.
function calls(shop) {
  const order = { fulfilment: 'pickup' };
  const fill = (c, s) => c.call('PUT', `/api/cart/items/${s.food}`, { token: s.token, body: { quantity: 1 } });
  const place = async (c, s) => {
    await fill(c, s);
    return (await c.call('POST', '/api/orders', { token: s.token, body: order })).body.payment;
  };
  return [
    ['menu', (c) => c.call('GET', '/api/foods')],
    ['an unknown path', (c) => c.call('GET', '/api/nothing')],
    ['a body that is no JSON', (c, s) => c.call('POST', '/api/cart/items', { token: s.token, body: 'x' })],
    ['log in', (c) => c.call('POST', '/api/login',
      { body: { identifier: shop.customer.email, password: shop.customer.password } })],
    ['sign up', (c, s) => c.call('POST', '/api/signup',
      { body: { email: `new${s.next()}@example.com`, password: 'a long password' } })],
    ['edit the menu', (c, s) => c.call('PUT', `/api/foods/${s.food}`,
      { token: s.admin, body: { description: `edit ${s.next()}` } })],
    ['fill the cart', fill],
    ['place an order', (c, s) => c.call('POST', '/api/orders', { token: s.token, body: order }), fill],
    ['pay', (c, s) => c.call('POST', `/api/payments/${s.ready.id}/simulate`,
      { token: s.token, body: { outcome: 'paid' } }), place],
    ['history', (c, s) => c.call('GET', '/api/orders', { token: s.token })],
    ['show a picture', (c, s) => c.call('PUT', `/api/foods/${s.food}/image`,
      { token: s.admin, body: picture, type: 'image/png' })],
    ['what was sold', (c, s) => c.call('GET', '/api/admin/summary', { token: s.admin })],
    ['orders as a file', (c, s) => c.call('GET', '/api/admin/orders.csv', { token: s.admin })],
    ['payments', (c, s) => c.call('GET', '/api/admin/payments', { token: s.admin })],
    ['figures', (c) => c.call('GET', '/metrics')],
    ['the board', (c, s) => c.call('GET', '/api/admin/orders', { token: s.admin })],
  ];
}

class Session {
  #n = 0;

  next() {
    this.#n += 1;
    return this.#n;
  }
}

async function prepare(shop) {
  shop.customer = { email: 'admin@example.com', password: 'servery-demo' };
  await shop.makeAdmin(shop.customer.email, shop.customer.password);
  const caller = new Caller(shop.port);
  const { body } = await caller.call('POST', '/api/login',
    { body: { identifier: shop.customer.email, password: shop.customer.password } });
  const session = new Session();
  session.token = body.token;
  session.admin = body.token;
  session.food = (await caller.call('POST', '/api/foods',
    { token: body.token, body: { name: 'Jollof', price: 100, stock: 100000 } })).body.id;
  caller.close();
  return session;
}

// The calls a client makes when an answer is lost or refused: on a new connection, until it is there.
async function ready(shop, session, make) {
  if (!make) return;
  const caller = new Caller(shop.port);
  session.ready = await make(caller, session);
  caller.close();
}

test('calls', { skip, timeout: 600000 }, async (t) => {
  const random = seeded(t);
  const { shop, memory } = await shopWithMemory(t);
  await shop.start();
  const session = await prepare(shop);
  const paid = new Set();

  for (const [name, call, make] of calls(shop))
    await t.test(name, async (t) => {
      const outcomes = {};
      const once = async () => {
        const caller = new Caller(shop.port);
        try {
          return await call(caller, session);
        } catch (error) {
          if (!(error instanceof Lost)) throw error;
          return { status: 'lost' };
        } finally {
          caller.close();
        }
      };
      await ready(shop, session, make);
      memory.disarm();
      const expected = (await once()).status;
      const made = memory.made;
      assert.ok(made > 0);
      for (const nth of sample(made + 5, 25, random)) {
        await ready(shop, session, make);
        memory.arm(nth);
        const { status, body } = await once();
        memory.disarm();
        outcomes[status] = (outcomes[status] ?? 0) + 1;
        assert.ok(['lost', 503, expected].includes(status), `allocation ${nth} of ${made}: ${status}`);
        if (body?.order_id) paid.add(body.order_id);
        // One allocation failed: the program ended at most once of it, and has what it needs again.
        const restarted = async () => {
          await assertOutOfMemory(shop, nth);
          await shop.start();
          await ready(shop, session, make);
        };
        if (await answers(shop)) await ready(shop, session, make);
        else await restarted();
        let after = (await once()).status;
        if (after === 'lost') {
          await restarted();
          after = (await once()).status;
        }
        assert.equal(after, expected, `after allocation ${nth} of ${made} failed`);
      }
      t.diagnostic(JSON.stringify({ made, ...outcomes }));
    });
  await shop.checkData();
  const caller = new Caller(shop.port);
  for (const id of paid)
    assert.equal((await caller.call('GET', `/api/orders/${id}`, { token: session.admin })).status, 200);
  caller.close();
});
