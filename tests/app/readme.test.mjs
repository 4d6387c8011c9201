// The README's walk through the API, run as it stands there against a demo.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { startServer } from '../lib/server.mjs';

test('the walk of the README ends with a completed order', async () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const walk = readme.match(/<!-- walk -->\n```sh\n([\s\S]*?)```\n<!-- end walk -->/)[1];
  const server = await startServer();
  try {
    const shell = spawn('bash', ['-euo', 'pipefail', '-c', walk],
      { env: { ...process.env, BASE: `http://127.0.0.1:${server.port}` },
        stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    shell.stdout.setEncoding('utf8').on('data', (text) => { out += text; });
    const [code] = await once(shell, 'close');
    assert.equal(code, 0, out);
    assert.match(out, /^confirmed\npreparing\nready\ncompleted$/m);
    const order = JSON.parse(out.trim().split('\n').at(-1));
    assert.equal(order.status, 'completed');
    assert.equal(order.events.length, 5);
    assert.equal(order.payment.amount, order.total);
  } finally {
    await server.stop();
  }
});
