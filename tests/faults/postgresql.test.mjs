// PostgreSQL that dies, restarts, is away, cuts connections or holds a lock: what was acknowledged is
// there, calls meanwhile are answered 503 and not 500, and the server goes on by itself.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from '../lib/client.mjs';
import { postgresqlOnly } from '../lib/database.mjs';
import { parseMetrics } from '../lib/metrics.mjs';
import { HANG_MS } from '../lib/server.mjs';
import { logInAdmin, signUp } from '../lib/shop.mjs';
import { startSmtp } from '../lib/smtp.mjs';
import { createDatabase, freeze, killCluster, startCluster, thaw } from '../scale/postgres.mjs';
import { Load } from './load.mjs';
import { Random, seed } from './random.mjs';
import { Caller, Shop } from './shop.mjs';

const execute = promisify(execFile);
const CUTS = 12;
const AWAY_MS = 4000; // several tries of each thread

/* As the owner of the cluster. */
async function control(cluster, ...args) {
  const { uid, gid } = statSync(cluster.dir);
  await execute('pg_ctl', ['-D', cluster.dir, '-w', '-l', join(cluster.dir, 'log'), ...args],
    { uid, gid, cwd: cluster.dir, env: { ...process.env, PATH: cluster.path } });
}

async function shopIn(t, cluster, { settings = {}, ...options } = {}) {
  const database = await createDatabase(cluster);
  const shop = new Shop({ settings: { database, ...settings }, ...options });
  t.after(() => shop.remove());
  return shop;
}

async function shopWithLoad(t, options) {
  t.diagnostic(`SERVERY_SEED=${seed}`);
  const cluster = await startCluster(t, '--fsync');
  const smtp = await startSmtp();
  const shop = await shopIn(t, cluster, { mail: smtp.url });
  const load = new Load(smtp, { random: new Random(), ...options });
  t.after(async () => {
    load.close();
    await smtp.close();
  });
  await shop.start();
  await load.prepare(shop);
  return { cluster, shop, load };
}

async function untilReady(shop) {
  const caller = new Caller(shop.port);
  for (const end = performance.now() + HANG_MS; (await caller.call('GET', '/readyz')).status !== 200;)
    assert.ok(performance.now() < end, 'the server does not find its database again');
  caller.close();
  /* A menu that could not be read after a commit is old until then. */
  const told = (what) => shop.log.filter(({ event }) => event === what).length;
  for (const end = performance.now() + HANG_MS; told('menu_fresh') < told('menu_stale');) {
    assert.ok(performance.now() < end, 'the menu stays old');
    await setImmediate();
  }
}

function checkLog(shop) {
  assert.deepEqual(shop.log.filter(({ event }) => event === 'request_failed'), []);
  assert.ok(shop.running);
}

test('PostgreSQL dies and restarts under load', postgresqlOnly, async (t) => {
  const { cluster, shop, load } = await shopWithLoad(t);
  const kill = async () => {
    killCluster(cluster.dir);
    // Its process may stay as a zombie: then it counts as running.
    rmSync(join(cluster.dir, 'postmaster.pid'));
    rmSync(join(cluster.dir, '..', `.s.PGSQL.${cluster.port}.lock`));
  };
  const ends = [kill, () => control(cluster, 'stop', '-m', 'immediate'),
    () => control(cluster, 'stop', '-m', 'fast')];
  for (const end of ends) {
    load.mayRefuse = false;
    load.start();
    await load.after(100);
    load.mayRefuse = true;
    const goal = load.refusals + 20;
    await end();
    await load.until(() => load.refusals >= goal);
    await load.halt();
    await control(cluster, 'start');
    await untilReady(shop);
    await load.verifyAndSettle();
    await shop.checkData();
  }
  load.mayRefuse = false;
  load.start();
  await load.after(100);
  await load.halt();
  await load.verifyAll();
  checkLog(shop);
  t.diagnostic(`${load.count} calls acknowledged, ${load.refusals} refused`);
  await shop.end();
  await shop.checkData();
});

/* A call whose COMMIT was under way is answered 503, and may have been done: whoever hears that stops. */
test('connections are cut under load', postgresqlOnly, async (t) => {
  const { shop, load } = await shopWithLoad(t, { haltOnRefusal: true });
  load.mayRefuse = true;
  for (let cut = 0; cut < CUTS; cut++) {
    load.start();
    await load.after(load.random.int(1, 30));
    // Each has ended when this is answered.
    const n = await shop.query(`SELECT count(pg_terminate_backend(pid, ${HANG_MS})) `
      + 'FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()');
    assert.notEqual(n, '0');
    const goal = load.count + 10;
    await load.until(() => load.halting || load.count >= goal);
    await load.halt();
    await load.verifyAndSettle();
    await shop.checkData();
  }
  await load.verifyAll();
  checkLog(shop);
  t.diagnostic(`${load.count} calls acknowledged, ${load.refusals} refused`);
  await shop.end();
  await shop.checkData();
});

test('PostgreSQL is away at the start', postgresqlOnly, async (t) => {
  const cluster = await startCluster(t);
  const shop = await shopIn(t, cluster);
  await shop.start();
  await shop.makeAdmin();
  await shop.end();
  await control(cluster, 'stop', '-m', 'fast');
  await shop.refuses(
    /"event":"database_cannot_open".*Connection refused.*check the setting database, /);
  await control(cluster, 'start');
  await shop.start();
  await logInAdmin(shop);
  await shop.end();
  await shop.refuses(/"event":"database_cannot_open".*check the setting database_listen /,
    { settings: { database_listen: 'postgresql://127.0.0.1:1/servery' } });
  await shop.checkData();
});

/* It was said several times a second. */
test('that PostgreSQL is away is said at once, and then seldom', postgresqlOnly, async (t) => {
  const cluster = await startCluster(t);
  const shop = await shopIn(t, cluster);
  await shop.start();
  const told = () => shop.log.filter(({ event }) => event === 'database_cannot_open').length;
  for (let times = 0; times < 2; times++) {
    await untilReady(shop);
    const before = told(), from = performance.now();
    await control(cluster, 'stop', '-m', 'fast');
    const caller = new Caller(shop.port);
    while (performance.now() < from + AWAY_MS)
      assert.equal((await caller.call('GET', '/readyz')).status, 503);
    caller.close();
    await shop.waitFor(() => told() > before, HANG_MS, 'what is the matter');
    const most = 2 * (1 + Math.floor((performance.now() - from) / 10000)); // of two targets
    assert.ok(told() - before <= most, `said ${told() - before} times`);
    await control(cluster, 'start');
  }
  await untilReady(shop);
  await shop.end();
  await shop.checkData();
});

test('somebody else holds a lock', postgresqlOnly, async (t) => {
  const cluster = await startCluster(t);
  const shop = await shopIn(t, cluster);
  await shop.start();
  const user = await signUp(shop);
  const holder = spawn('psql', ['--no-psqlrc', '--quiet', shop.settings.database],
    { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => holder.kill()); // a test that failed must not leave it waiting
  holder.stdin.write('BEGIN; SELECT id FROM users FOR UPDATE;\n');
  await once(holder.stdout, 'data');
  const refused = await user.put('/api/me', { name: 'Late' }, { expect: 503 });
  assert.equal(refused.body.code, 'unavailable');
  assert.ok(Number(refused.headers['retry-after']) >= 1);
  await user.get('/api/me', { expect: 200 });
  holder.stdin.end('ROLLBACK;\n');
  await once(holder, 'close');
  await user.put('/api/me', { name: 'In Time' }, { expect: 200 });
  checkLog(shop);
  await shop.end();
  await shop.checkData();
});

/* A proxy that asks how the server is waits for no worker, and not as long as calls wait for the database:
 * it has its answer first, and so has who scrapes. */
test('PostgreSQL falls silent with every worker waiting for it', postgresqlOnly, async (t) => {
  const cluster = await startCluster(t);
  const shop = await shopIn(t, cluster, { settings: { workers: 4,
    database_connections: 8, public_url: 'http://localhost' } });
  await shop.start();
  const user = await signUp(shop);
  const caller = new Caller(shop.port);
  t.after(() => caller.close());
  const ready = async () => (await caller.call('GET', '/readyz')).status;
  assert.equal(await ready(), 200);

  let answered = 0;
  let calls;
  freeze(cluster.dir);
  try {
    calls = Array.from({ length: 16 }, () => user.get('/api/orders', { expect: 'any' })
      .then(({ status }) => { answered++; return status; }));
    assert.equal(await ready(), 503);
    assert.equal(await ready(), 503);
    const { text } = await new Client(shop).get('/metrics', { expect: 200 });
    assert.equal(parseMetrics(text).value('servery_database_up'), 0);
    assert.equal(answered, 0);
  } finally {
    thaw(cluster.dir);
  }
  for (const status of await Promise.all(calls)) assert.ok([200, 503].includes(status), `${status}`);
  await untilReady(shop);
  await user.get('/api/orders', { expect: 200 });
  checkLog(shop);
  await shop.end();
  await shop.checkData();
});

test('a clock that is not the database\'s is told', postgresqlOnly, async (t) => {
  const cluster = await startCluster(t);
  const shop = await shopIn(t, cluster, { clock: true });
  const told = () => shop.log.filter(({ event }) => event === 'clock_differs');
  await shop.start();
  await shop.end();
  assert.deepEqual(told(), []);
  for (const ms of [60000, -120000]) {
    shop.clock.advance(ms);
    await shop.start();
    await shop.end();
    assert.equal(told().length, 1);
    assert.ok(told()[0].ahead_ms * Math.sign(ms) > 50000, `${told()[0].ahead_ms} ms`);
  }
});
