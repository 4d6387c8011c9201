// Each of three servers is restarted in turn while customers order, and nobody has to ask twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endFleet, startFleet, startFront } from './fleet.mjs';
import { Load } from './load.mjs';
import { createDatabase, startCluster } from './postgres.mjs';
import { KINDS } from './proxy.mjs';

for (const kind of KINDS) {
  test(`restarted one after the other behind ${kind}`, async (t) => {
    const cluster = await startCluster(t);
    const fleet = await startFleet(t, await createDatabase(cluster), { settings: { drain: '5s' } });
    const load = await new Load(await startFront(t, kind, fleet)).prepare();
    load.start();
    for (const server of fleet.servers) {
      await load.more(30);
      await server.end();
      await load.more(30);
      await server.start();
      await server.takesPart();
    }
    await load.more(30);
    await load.halt();
    t.diagnostic(`${load.count} calls, ${load.orders} orders`);
    assert.deepEqual(load.repeated, []);
    await load.verify();
    await endFleet(fleet);
  });
}
