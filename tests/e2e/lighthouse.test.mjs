// What Lighthouse says of the menu on a phone, and what the first page weighs over the wire.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SHOP_URL, assertQuiet, lighthouseOf, startBrowser, visitor } from '../lib/browser.mjs';
import { startServer } from '../lib/server.mjs';

const SCORE_MIN = 0.95;
const FIRST_PAGE_MAX_BYTES = 60_000; // all that comes over the wire, but pictures

let server;

before(async () => { server = await startServer({ settings: { public_url: SHOP_URL } }); });
after(() => server?.stop());

test('Lighthouse, mobile: accessibility and best practices of the menu', async () => {
  const lhr = await lighthouseOf(server.port, '/', ['accessibility', 'best-practices']);
  for (const { title, score, auditRefs } of Object.values(lhr.categories)) {
    const lost = auditRefs.map(({ id }) => lhr.audits[id])
      .filter((audit) => audit.score !== null && audit.score < 1);
    assert.ok(score >= SCORE_MIN, `${title}: ${score}: ${JSON.stringify(lost, null, 1).slice(0, 4000)}`);
  }
});

test('the first page is light, and asks nobody but the shop', async (t) => {
  const browser = await startBrowser(server.port);
  t.after(() => browser.close());
  const page = await visitor(t, browser);
  const session = await page.context().newCDPSession(page);
  const kinds = new Map();
  const sizes = [];
  await session.send('Network.enable');
  session.on('Network.responseReceived', ({ requestId, type, response }) =>
    kinds.set(requestId, `${type} ${response.url}`));
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) =>
    sizes.push([kinds.get(requestId), encodedDataLength]));
  await page.goto('/', { waitUntil: 'networkidle' });
  await page.locator('article, li').first().waitFor();
  const counted = sizes.filter(([kind]) => !kind.startsWith('Image'));
  const bytes = counted.reduce((sum, [, size]) => sum + size, 0);
  t.diagnostic(`${bytes} bytes in ${counted.length} answers`);
  assert.ok(counted.length >= 4, 'the page, its style, its modules, the menu');
  assert.ok(bytes > 5000 && bytes < FIRST_PAGE_MAX_BYTES, JSON.stringify(counted));
  assertQuiet(page);
});
