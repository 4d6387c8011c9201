// The machine of the database fails while customers order, and its synchronous standby takes over: the
// servers find it by themselves, and nothing that was acknowledged is lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventStream, exchange } from '../lib/client.mjs';
import { freePort } from '../lib/ports.mjs';
import { addFood, logInAdmin, order } from '../lib/shop.mjs';
import { endFleet, startFleet, startFront } from './fleet.mjs';
import { Load, Worker } from './load.mjs';
import { createDatabase, killCluster, sql, startCluster, startStandby } from './postgres.mjs';

/* The events of a stream as a browser shows them: one that ends is opened again where it ended. */
async function* eventsOf(server, token, path) {
  for (let stream, lastId; ;) {
    stream = await exchange(server, {
      method: 'GET', path,
      headers: { authorization: `Bearer ${token}`, ...(lastId && { 'last-event-id': lastId }) },
      onHeaders: (response, request) =>
        new EventStream(response, request, { status: 'OrderStreamEvent' }),
    });
    if (!(stream instanceof EventStream)) {
      assert.equal(stream.status, 503);
      continue;
    }
    yield* stream;
    lastId = stream.lastId;
  }
}

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
  const events = eventsOf(two, admin.token, `/api/orders/${placed.id}/events`);
  const next = async () => (await events.next()).value.data.to;
  assert.equal(await next(), 'pending');

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
  assert.equal(await next(), 'confirmed', 'streams are fed again');
  await load.more(60);
  await load.halt();
  t.diagnostic(`${load.count} calls, ${load.orders} orders, ${load.repeated.length} calls again`);
  assert.equal(await sql(standby.url, 'SELECT pg_is_in_recovery()'), 'f');
  await load.verify();
  await endFleet(fleet);
});
