// What the server sends around the pages, as a browser takes it: its content security policy, the
// manifest, the pages that the program writes itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SHOP_URL, assertFits, assertQuiet, startBrowser, visitor } from '../lib/browser.mjs';
import { startServer } from '../lib/server.mjs';
import { signUp } from '../lib/shop.mjs';

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

test('served: the manifest is read without an error', async (t) => {
  const page = await visitor(t, browser);
  await page.goto('/');
  const session = await page.context().newCDPSession(page);
  const { url, errors, data } = await session.send('Page.getAppManifest');
  assert.equal(url, `${SHOP_URL}/manifest.webmanifest`);
  assert.deepEqual(errors, []);
  assert.equal(JSON.parse(data).display, 'standalone');
  assertQuiet(page);
});

test('served: pages that the program writes have their style and fit a phone', async (t) => {
  await signUp(server);
  const page = await visitor(t, browser);
  // /dev/mail is there for a loopback address alone.
  for (const url of ['/errors', `http://127.0.0.1:${server.port}/dev/mail`]) {
    const answer = await page.goto(url);
    assert.equal(answer.status(), 200, url);
    const font = await page.evaluate(() => getComputedStyle(document.body).fontFamily);
    assert.match(font, /system-ui/, url);
    await assertFits(page);
    assert.deepEqual(page.complaints, [], url);
  }
});

/* What the policy says of an attempt, or "done". */
const attempt = (page, what) => page.evaluate((kind) => new Promise((tell) => {
  document.addEventListener('securitypolicyviolation',
    (violation) => tell(violation.effectiveDirective), { once: true });
  const add = (name, members) => document.head.append(
    Object.assign(document.createElement(name), { onload: () => tell('done') }, members));
  const ways = {
    inline: () => add('script', { textContent: 'window.ran = true' }),
    foreign: () => add('script', { src: 'http://127.0.0.2:9/x.js' }),
    style: () => add('style', { textContent: 'body { color: red }' }),
    call: () => fetch('http://127.0.0.2:9/').catch(() => {}),
    events: () => {
      const events = new EventSource('/api/orders/1/events');
      events.onerror = () => tell('done');
    },
  };
  ways[kind]();
}), what);

test('served: nothing in a page itself and nothing of another origin is run', async (t) => {
  const page = await visitor(t, browser);
  await page.goto('/errors');
  const said = {};
  for (const what of ['inline', 'foreign', 'style', 'call', 'events'])
    said[what] = await attempt(page, what);
  assert.deepEqual(said, {
    inline: 'script-src-elem', foreign: 'script-src-elem', style: 'style-src-elem',
    call: 'connect-src', events: 'done',
  });
  assert.equal(await page.evaluate(() => window.ran), undefined);
});
