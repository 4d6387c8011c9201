// One of three servers is killed while customers order through the proxy: what was acknowledged is there
// once, who asks again has one order a key, and the others go on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endFleet, startFleet, startFront } from './fleet.mjs';
import { Load } from './load.mjs';
import { createDatabase, startCluster } from './postgres.mjs';
import { KINDS } from './proxy.mjs';

for (const kind of KINDS) {
  test(`killed behind ${kind}`, async (t) => {
    const cluster = await startCluster(t);
    const fleet = await startFleet(t, await createDatabase(cluster));
    const load = await new Load(await startFront(t, kind, fleet)).prepare({ customers: 24 });
    load.start();
    for (const server of fleet.servers) {
      await load.more(40);
      await server.kill();
      await load.more(40);
      await server.start();
      await server.takesPart();
    }
    await load.more(40);
    await load.halt();
    t.diagnostic(`${load.count} calls, ${load.orders} orders, ${load.repeated.length} calls again`);
    await load.verify();
    await endFleet(fleet);
    assert.ok(load.orders > 200);
  });
}
