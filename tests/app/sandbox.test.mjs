// What the running server has given away (tests/app/test_sandbox.c tries what is refused then).
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { logInAdmin } from '../lib/shop.mjs';

function threads(server) {
  const folder = `/proc/${server.child.pid}/task`;
  return readdirSync(folder).map((id) => {
    const status = readFileSync(`${folder}/${id}/status`, 'utf8');
    return Object.fromEntries([...status.matchAll(/^(\w+):\s+(.*)$/gm)].map((m) => [m[1], m[2]]));
  });
}

for (const mode of ['serve', 'demo']) {
  test(`every thread of ${mode} is in the sandbox`, async () => {
    const server = await startServer({ mode });
    try {
      if (mode === 'demo') await logInAdmin(server);
      const found = threads(server);
      assert.ok(found.length > 64, `${found.length} threads`);
      for (const { Name, Seccomp, NoNewPrivs } of found)
        assert.deepEqual({ Name, Seccomp, NoNewPrivs }, { Name, Seccomp: '2', NoNewPrivs: '1' });
      assert.ok(!server.log.some(({ event }) => event === 'sandbox_unavailable'));
      const root = server.log.some(({ event }) => event === 'running_as_root');
      assert.equal(root, process.getuid() === 0);
    } finally {
      await server.stop();
    }
  });
}

test('sandbox = no leaves it open', async () => {
  const server = await startServer({ settings: { sandbox: 'no' } });
  try {
    for (const { Seccomp, NoNewPrivs } of threads(server))
      assert.deepEqual({ Seccomp, NoNewPrivs }, { Seccomp: '0', NoNewPrivs: '0' });
  } finally {
    await server.stop();
  }
});
