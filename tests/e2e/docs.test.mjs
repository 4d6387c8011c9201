// The page of the API in a real browser: it shows every operation, tries one, and asks nobody else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DESK, SHOP_URL, assertQuiet, startBrowser, visitor } from '../lib/browser.mjs';
import { description } from '../lib/openapi.mjs';
import { startServer } from '../lib/server.mjs';
import { logInAdmin } from '../lib/shop.mjs';

const METHODS = ['get', 'post', 'put', 'delete'];

let server;
let browser;

before(async () => {
  server = await startServer({ settings: { public_url: SHOP_URL } });
  browser = await startBrowser(server.port);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

async function open(t) {
  const page = await visitor(t, browser, { viewport: DESK });
  await page.goto('/docs');
  return page;
}

test('docs: every operation is shown, and no other host is asked', async (t) => {
  const page = await open(t);
  const operations = Object.values(description.paths)
    .flatMap((item) => METHODS.filter((method) => item[method]).map((method) => item[method]));
  assert.ok(operations.length > 50);
  for (const { summary } of operations)
    await page.getByRole('heading', { name: summary }).first().waitFor({ state: 'attached' });
  await page.getByRole('heading', { name: 'Limits' }).first().waitFor({ state: 'attached' });
  const fetched = page.asked.map((url) => new URL(url).pathname);
  assert.ok(fetched.includes('/api/openapi.json'));
  assert.ok(fetched.some((path) => /^\/assets\/rapidoc-[0-9A-F]{8}\.js$/.test(path)));
  assertQuiet(page);
});

test('docs: a call is tried with a token', async (t) => {
  const page = await open(t);
  const admin = await logInAdmin(server);
  const section = page.locator('[id="get-/api/me"]');
  await section.waitFor();
  await page.locator('#api-key-0, input[placeholder="api-token"]').first().waitFor();
  await page.locator('input[placeholder="api-token"]').first().fill(admin.token);
  await page.getByRole('button', { name: /^set$/i }).first().click();
  const [answer] = await Promise.all([
    page.waitForResponse('**/api/me'),
    section.getByRole('button', { name: /^try$/i }).click(),
  ]);
  assert.equal(answer.request().headers().authorization, `Bearer ${admin.token}`);
  assert.equal(answer.status(), 200);
  await section.getByText(admin.user.email).first().waitFor();
  assertQuiet(page);
});
