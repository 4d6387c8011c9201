// A full disk: writes are refused with 503, reads go on, nothing is lost or half done, and as soon
// as there is space all goes on, without a restart.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test from 'node:test';
import { Client } from '../lib/client.mjs';
import { ADMIN } from '../lib/server.mjs';
import { addFood, logInAdmin, signUp } from '../lib/shop.mjs';
import { startSmtp } from '../lib/smtp.mjs';
import { Load } from './load.mjs';
import { Random, seed } from './random.mjs';
import { Caller, Shop } from './shop.mjs';
import { SmallDisk } from './small_disk.mjs';

const reason = SmallDisk.whyNot();
const skip = reason !== '';
const name = (text) => (skip ? `${text} (skipped: ${reason})` : text);

const DAY_MS = 24 * 60 * 60 * 1000;

// Only its data and its key are on the disk.
function onSmallDisk(t, options) {
  const disk = new SmallDisk();
  const shop = new Shop({
    settings: { database: `sqlite:${disk.dir}/servery.db`, secret_file: `${disk.dir}/servery.key` },
    ...options,
  });
  t.after(async () => {
    await shop.remove();
    disk.remove();
  });
  return { disk, shop };
}

async function checkReads(load) {
  const customer = load.customers.find(({ orders }) => orders.size > 0);
  const [orderId] = customer.orders.keys();
  const paths = ['/api/foods', `/api/foods/${load.foodIds[0]}`, '/api/categories', '/api/shop',
    '/healthz', '/readyz', '/api/me', '/api/me/referrals', '/api/cart', '/api/orders',
    `/api/orders/${orderId}`, `/api/payments/${customer.orders.get(orderId).payment}`];
  for (const path of paths) await customer.read(path);
  for (const path of ['/api/admin/orders', '/api/admin/users']) await load.kitchen.read(path);
}

/* Uses up what room the log still has, by the smallest write there is: part of a big one that was
 * refused may stay behind as room for a smaller one. */
async function exhaust(load, caller) {
  for (let quantity = 1; ; quantity = (quantity % 99) + 1) {
    const answer = await caller.call('PUT', `/api/cart/items/${load.foodIds[0]}`,
      { token: load.kitchen.token, body: { quantity } });
    if (answer.status === 503) return;
    assert.equal(answer.status, 200, answer.text);
  }
}

// Calls that must write, of all kinds.
async function checkWrites(load, port) {
  const caller = new Caller(port);
  await exhaust(load, caller);
  const { token } = load.customers[0];
  const admin = load.kitchen.token;
  const [food] = load.foodIds;
  const calls = [
    ['POST', '/api/signup', { body: { email: 'late@example.com', password: 'a long password' } }],
    ['POST', '/api/login', { body: { identifier: ADMIN.email, password: ADMIN.password } }],
    ['POST', '/api/password-reset', { body: { email: load.customers[0].email } }],
    ['PUT', '/api/me', { token, body: { name: 'Somebody Else' } }],
    ['POST', '/api/logout', { token }],
    ['PUT', `/api/cart/items/${food}`, { token, body: { quantity: 77 } }],
    ['POST', '/api/foods', { token: admin, body: { name: 'Late', price: 1 }, key: 'late' }],
    ['PUT', `/api/foods/${food}/availability`, { token: admin, body: { available: false } }],
    ['DELETE', `/api/foods/${food}`, { token: admin }],
    ['PUT', '/api/shop', { token: admin, body: { name: 'Another Shop' } }],
  ];
  for (const [method, path, options] of calls) {
    const answer = await caller.call(method, path, options);
    assert.equal(answer.status, 503, `${method} ${path}: ${answer.text}`);
    assert.equal(answer.body.code, 'unavailable');
    assert.ok(Number(answer.headers['retry-after']) >= 1);
  }
  caller.close();
}

test(name('a full disk under load'), { skip }, async (t) => {
  t.diagnostic(`SERVERY_SEED=${seed}`);
  const smtp = await startSmtp();
  const { disk, shop } = onSmallDisk(t, { mail: smtp.url });
  const load = new Load(smtp, { random: new Random() });
  t.after(async () => {
    load.close();
    await smtp.close();
  });
  await shop.start();
  await load.prepare(shop);

  for (const killed of [false, true, false]) {
    load.mayRefuse = false;
    load.start();
    await load.after(100);
    load.mayRefuse = true;
    disk.fill();
    const goal = load.refusals + 50;
    await load.until(() => load.refusals >= goal);
    await checkReads(load);
    await load.halt();
    if (killed) {
      await shop.kill();
      await shop.start();
      load.connect(shop.port);
      await checkReads(load);
    }
    await checkWrites(load, shop.port);
    const done = await Promise.all(load.workers.map((worker) => worker.verify()));
    assert.ok(!done.includes(true), 'what was refused was not done');
    await shop.checkData();
    disk.free();
  }

  // Those refused come again, with their keys, and are served at once.
  load.mayRefuse = false;
  load.start();
  await load.after(100);
  await load.halt();
  await load.verifyAll();
  t.diagnostic(`${load.count} calls acknowledged, ${load.refusals} refused`);
  await shop.checkData();
  await shop.kill();
  const failed = shop.log.filter((line) => line.event === 'request_failed');
  assert.deepEqual(failed, []);
  await shop.start();
  load.connect(shop.port);
  await load.verifyAll();
  await shop.checkData();
  await shop.end();
});

test(name('a session that is due to be prolonged reads on a full disk'), { skip }, async (t) => {
  const { disk, shop } = onSmallDisk(t, { clock: true });
  await shop.start();
  const user = await signUp(shop);
  disk.fill();
  shop.clock.advance(DAY_MS + 60000);
  await user.get('/api/me', { expect: 200 });
  await user.get('/api/orders', { expect: 200 });
  await user.put('/api/me', { name: 'Somebody' }, { expect: 503 });
  disk.free();
  await user.put('/api/me', { name: 'Somebody' }, { expect: 200 });
  await shop.end();
  await shop.checkData();
});

test(name('a new shop on a full disk'), { skip }, async (t) => {
  const { disk, shop } = onSmallDisk(t);
  disk.fill();
  await shop.refuses(/could not be written|No space left/);
  assert.ok(!existsSync(shop.settings.secret_file), 'no half key is left');
  disk.free();
  await shop.start();
  await shop.end();
  await shop.checkData();
});

test(name('an old shop on a full disk'), { skip }, async (t) => {
  const { disk, shop } = onSmallDisk(t);
  await shop.start();
  await shop.makeAdmin();
  const food = await addFood(await logInAdmin(shop));
  await shop.end();

  disk.fill();
  await shop.refuses(/the disk is full/);
  disk.free();
  await shop.start();
  const { body } = await new Client(shop).get(`/api/foods/${food.id}`);
  assert.deepEqual(body, food);
  await shop.end();
  await shop.checkData();
});
