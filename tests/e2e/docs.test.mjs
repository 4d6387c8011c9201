// The page of the API in a real browser: it shows every operation, tries one, and asks nobody else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { description } from '../lib/openapi.mjs';
import { startServer } from '../lib/server.mjs';
import { logInAdmin } from '../lib/shop.mjs';

const TIMEOUT_MS = 30000;
const METHODS = ['get', 'post', 'put', 'delete'];

let server;
let browser;
let origin;

before(async () => {
  server = await startServer();
  origin = `http://127.0.0.1:${server.port}`;
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/* The page, with what its console complains about and every address that it asked. */
async function open(t) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 }, serviceWorkers: 'block' });
  t.after(() => context.close());
  const page = await context.newPage();
  const complaints = [];
  const asked = [];
  page.setDefaultTimeout(TIMEOUT_MS);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(`${origin}/docs`);
  return Object.assign(page, { complaints, asked });
}

function assertAtHome(page) {
  for (const url of page.asked)
    assert.ok(url.startsWith(`${origin}/`) || /^(data|blob):/.test(url), `asked ${url}`);
  assert.deepEqual(page.complaints, []);
}

test('docs: every operation is shown, and no other host is asked', async (t) => {
  const page = await open(t);
  const operations = Object.values(description.paths)
    .flatMap((item) => METHODS.filter((method) => item[method]).map((method) => item[method]));
  assert.ok(operations.length > 50);
  for (const { summary } of operations)
    await page.getByRole('heading', { name: summary }).first().waitFor({ state: 'attached' });
  await page.getByRole('heading', { name: 'Limits' }).first().waitFor({ state: 'attached' });
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
  const fetched = page.asked.map((url) => new URL(url).pathname);
  assert.ok(fetched.includes('/api/openapi.json'));
  assert.ok(fetched.some((path) => /^\/assets\/rapidoc-[0-9A-F]{8}\.js$/.test(path)));
  assertAtHome(page);
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
    page.waitForResponse(`${origin}/api/me`),
    section.getByRole('button', { name: /^try$/i }).click(),
  ]);
  assert.equal(answer.request().headers().authorization, `Bearer ${admin.token}`);
  assert.equal(answer.status(), 200);
  await section.getByText(admin.user.email).first().waitFor();
  if (process.env.SCREENSHOT) await page.screenshot({ path: `${process.env.SCREENSHOT}.try.png` });
  assertAtHome(page);
});
