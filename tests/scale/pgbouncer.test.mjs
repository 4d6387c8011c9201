// Three servers behind pgbouncer in transaction mode, with fewer connections to PostgreSQL than they have
// to pgbouncer: the recipe of deploy/, run for real.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Shop } from '../faults/shop.mjs';
import { run } from '../lib/build.mjs';
import { Client, openStream } from '../lib/client.mjs';
import { freePort } from '../lib/ports.mjs';
import { PROGRAM } from '../lib/server.mjs';
import { addFood, logInAdmin, move, order } from '../lib/shop.mjs';
import { endFleet, startFleet, startFront } from './fleet.mjs';
import { Load } from './load.mjs';
import { createDatabase, database, sql, startCluster } from './postgres.mjs';
import { edit, listening } from './proxy.mjs';

const POOL = 5; // connections to PostgreSQL, for three servers with 8 each

// pgbouncer does not run as root.
const asNobody = process.getuid() === 0
  ? ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', '--'] : [];

/* The URL of the database behind it. */
async function startPgbouncer(t, cluster, name) {
  const dir = mkdtempSync(join(tmpdir(), 'servery-pgbouncer-'));
  const port = await freePort();
  const config = join(dir, 'pgbouncer.ini');
  writeFileSync(join(dir, 'userlist.txt'), '"postgres" ""\n');
  writeFileSync(config, edit('pgbouncer.ini', [
    ['^servery = .*', `${name} = host=127.0.0.1 port=${cluster.port} dbname=${name}`],
    ['^listen_addr = .*', 'listen_addr = 127.0.0.1'],
    ['^listen_port = .*', `listen_port = ${port}`],
    ['^auth_type = .*', 'auth_type = trust'],
    ['^auth_file = .*', `auth_file = ${dir}/userlist.txt`],
    ['^logfile = .*\n', ''],
    ['^pidfile = .*\n', ''],
    ['^default_pool_size = .*', `default_pool_size = ${POOL}`],
  ]));
  chmodSync(dir, 0o755);
  const [program, ...args] = [...asNobody, 'pgbouncer', config];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  t.after(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  });
  await listening(child, port);
  return database(`postgresql://postgres@127.0.0.1:${port}/`, name);
}

async function behind(t) {
  const cluster = await startCluster(t);
  const direct = await createDatabase(cluster);
  return { direct, pooled: await startPgbouncer(t, cluster, 'shop') };
}

const backends = (url) => sql(url,
  "SELECT count(*) FROM pg_stat_activity WHERE datname = 'shop' AND application_name = 'servery'");

test('orders and streams across servers, on fewer connections than they have', async (t) => {
  const { direct, pooled } = await behind(t);
  const fleet = await startFleet(t, pooled,
    { settings: { database_listen: direct, prepared_statements: 'off' } });
  const [one, two] = fleet.servers;
  const load = await new Load(await startFront(t, 'nginx', fleet)).prepare({ customers: 24 });

  const admin = await logInAdmin(one);
  const elsewhere = new Client(two, { token: admin.token });
  const placed = await order(admin, [await addFood(admin)]);
  const stream = await openStream(elsewhere, `/api/orders/${placed.id}/events`);
  assert.equal((await stream.next()).data.to, 'pending');
  load.start();
  for (const status of ['confirmed', 'preparing', 'ready', 'completed']) {
    await load.more(20);
    await move(admin, placed, status);
    assert.equal((await stream.next()).data.to, status);
  }
  assert.ok(Number(await backends(direct)) <= POOL, 'no more than the pool');
  await admin.post('/api/logout', undefined, { expect: 204 });
  await stream.untilEnded();
  await elsewhere.get('/api/me', { expect: 401 });
  await load.more(40);
  await load.halt();
  assert.deepEqual(load.repeated, []);
  await load.verify();
  await endFleet(fleet);
});

test('a shop is copied through it, unless it is served', async (t) => {
  const { direct, pooled } = await behind(t);
  const dir = mkdtempSync(join(tmpdir(), 'servery-copy-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const [from, back] = ['servery.db', 'back.db'].map((name) => `sqlite:${join(dir, name)}`);
  const servery = async (...args) => {
    const { code, stdout, stderr } = await run(PROGRAM, [...args, '--prepared-statements=off']);
    return { code, said: stdout + stderr };
  };
  assert.equal((await servery('migrate', '--database', from)).code, 0);
  const there = await servery('copy', '--from', from, '--to', pooled);
  assert.equal(there.code, 0, there.said);
  assert.match(there.said, /1 rows copied/);

  const fleet = await startFleet(t, pooled,
    { settings: { database_listen: direct, prepared_statements: 'off' } });
  const served = await servery('copy', '--from', pooled, '--to', back);
  assert.equal(served.code, 1);
  assert.match(served.said, /--from is served/);
  await endFleet(fleet);
  const done = await servery('copy', '--from', pooled, '--to', back);
  assert.equal(done.code, 0, done.said);
});

test('what is set wrongly is said', async (t) => {
  const { direct, pooled } = await behind(t);
  const shop = new Shop({ settings: { database: pooled } });
  t.after(() => shop.remove());
  await shop.refuses(/set prepared_statements = off/, { settings: { database_listen: direct } });
  await shop.refuses(/database_listen to PostgreSQL itself/, { settings: { prepared_statements: 'off' } });
});
