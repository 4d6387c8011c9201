// The shop that `servery demo` opens with: every dish is shown by a picture of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';

const DRAWINGS = new URL('../../web/pictures/', import.meta.url);
const BYTES_MAX = 40 * 1024; // all dishes of the menu together: less than a megabyte

let server;

before(async () => { server = await startServer(); });
after(() => server.stop());

/* The words before the pixels: P6, width, height, the largest value. */
const decode = (webp) => execFileSync('dwebp', ['-quiet', '-ppm', '-o', '-', '--', '-'],
  { input: webp, maxBuffer: 16 * 1024 * 1024 }).toString('latin1').split(/\s/, 4);

test('demo: every dish has a picture that can be decoded', async () => {
  const client = new Client(server);
  const { body: { items } } = await client.get('/api/foods', { expect: 200 });
  assert.equal(items.length, 24);
  const digests = new Set();
  for (const { name, image_url: url } of items) {
    assert.match(url ?? '', /^\/images\/[0-9a-f]{64}$/, name);
    digests.add(url);
    const { headers, raw } = await client.get(url, { expect: 200 });
    assert.equal(headers['content-type'], 'image/webp', name);
    assert.ok(raw.length < BYTES_MAX, `${name}: ${raw.length} bytes`);
    assert.deepEqual(decode(raw), ['P6', '800', '600', '255'], name);
  }
  assert.equal(digests.size, items.length);
  assert.equal(readdirSync(DRAWINGS).length, items.length);
});
