// The machine of the database fails while customers order, and its synchronous standby takes over: the
// servers find it by themselves, and nothing that was acknowledged is lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, openStream } from '../lib/client.mjs';
import { addFood, logInAdmin, order } from '../lib/shop.mjs';
import { endFleet, startFleet, startFront } from './fleet.mjs';
import { Load, Worker } from './load.mjs';
import { createDatabase, killCluster, sql, startCluster, startStandby } from './postgres.mjs';
import { freePort } from './proxy.mjs';

test('the primary dies, and a standby is promoted', async (t) => {
  const cluster = await startCluster(t);
  await createDatabase(cluster);
  const standby = await startStandby(t, cluster, await freePort());
  const fleet = await startFleet(t, `postgresql://postgres@127.0.0.1:${cluster.port},` +
    `127.0.0.1:${standby.port}/shop?target_session_attrs=read-write`);
  const [one, two] = fleet.servers;
  const load = await new Load(await startFront(t, 'nginx', fleet)).prepare({ customers: 24 });
  const admin = await logInAdmin(one);
  const placed = await order(admin, [await addFood(admin)]);
  const stream = await openStream(new Client(two, { token: admin.token }),
    `/api/orders/${placed.id}/events`);
  assert.equal((await stream.next()).data.to, 'pending');

  load.start();
  await load.more(60);
  killCluster(cluster.dir);
  const repeated = load.repeated.length;
  await load.until(() => load.repeated.length > repeated + 20);
  const begun = performance.now();
  await standby.promote();
  const promoted = performance.now();
  await load.more(1);
  t.diagnostic(`promoted in ${(promoted - begun).toFixed(0)} ms, ` +
    `the next order ${(performance.now() - promoted).toFixed(0)} ms later`);
  await load.more(60);
  const kitchen = new Worker(load, admin.token);
  await kitchen.ask('PUT', `/api/orders/${placed.id}/status`, { status: 'confirmed' });
  assert.equal((await stream.next()).data.to, 'confirmed', 'streams are fed again');
  await load.more(60);
  await load.halt();
  t.diagnostic(`${load.count} calls, ${load.orders} orders, ${load.repeated.length} calls again`);
  assert.equal(await sql(standby.url, 'SELECT pg_is_in_recovery()'), 'f');
  await load.verify();
  await endFleet(fleet);
});
