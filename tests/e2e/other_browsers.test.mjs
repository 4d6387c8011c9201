// What other browsers than the one at hand have or lack, told to this one: pages that cannot be had, a
// finger on a tablet, a phone that lies on its side, a language that is none, an older way to read pictures.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { DESK, SHOP_URL, TABLET, assertQuiet, button, heading, sessionOf, startBrowser, visitor } from '../lib/browser.mjs';
import { startServer } from '../lib/server.mjs';
import { logInAdmin } from '../lib/shop.mjs';

const NOTCH = 59;
const PHOTO = fileURLToPath(new URL('../pictures/64x48.jpg', import.meta.url));

let server;
let browser;
let admin;

before(async () => {
  server = await startServer({ settings: { public_url: SHOP_URL } });
  admin = await logInAdmin(server);
  browser = await startBrowser(server.port);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const staff = (t, options) => visitor(t, browser, { viewport: DESK, ...options, ...sessionOf(admin) });

test('pages whose file cannot be had are not waited for', async (t) => {
  const page = await staff(t);

  await page.route('**/assets/pages-*.js', (route) => route.abort());
  await page.goto('/admin');
  await page.getByText('This page could not be shown').waitFor();
  await page.unroute('**/assets/pages-*.js');
  await button(page, 'Load it again').click();
  await heading(page, 'Board').waitFor();
});

test('a browser whose language is none, and that reads pictures without being told how', async (t) => {
  const page = await staff(t);

  await page.addInitScript(() => {
    const read = window.createImageBitmap;
    Object.defineProperty(navigator, 'language', { get: () => 'C' });
    window.createImageBitmap = async (source, ...options) => {
      if (options.length) throw new TypeError('not a valid enumeration value');
      return read(source);
    };
  });
  await page.goto('/admin');
  await heading(page, 'Board').waitFor();
  await page.goto('/admin/sales');
  await heading(page, 'Sales').waitFor();
  await page.goto('/admin/menu/new');
  await page.locator('input[type=file]').first().setInputFiles(PHOTO);
  await page.locator('.picker-view img[src^="data:"]').waitFor();
  assertQuiet(page);
});

test('the bell that was on is ready again at the first touch of a finger', async (t) => {
  const page = await staff(t, { viewport: TABLET, hasTouch: true });

  await page.addInitScript(() => {
    // Sound is allowed as the standard has it: a finger's pointerdown is not enough.
    let event = null;
    for (const kind of ['pointerdown', 'pointerup', 'click', 'keydown'])
      addEventListener(kind, ({ pointerType }) => {
        event = kind === 'pointerdown' && pointerType === 'touch' ? null : kind;
        setTimeout(() => { event = null; });
      }, true);
    window.AudioContext = class extends AudioContext {
      constructor() {
        super();
        if (!event) void this.suspend();
      }

      resume() { return event ? super.resume() : new Promise(() => {}); }
    };
  });
  await page.goto('/admin');
  await button(page, 'Turn the bell on').tap();
  await button(page, 'Bell is on').waitFor();
  await page.reload();
  await button(page, 'Tap to let the bell ring').waitFor();
  await heading(page, 'Board').tap({ force: true });
  await button(page, 'Bell is on').waitFor();
  assertQuiet(page);
});

test('on a phone that lies on its side nothing is beside the notch', async (t) => {
  const page = await visitor(t, browser, { viewport: { width: 844, height: 390 } });
  const devtools = await page.context().newCDPSession(page);

  await devtools.send('Emulation.setSafeAreaInsetsOverride', { insets: { left: NOTCH, right: NOTCH } });
  await page.goto('/');
  await button(page, /^Add /).first().click();
  await page.locator('.cart-bar .button').waitFor();
  const beside = await page.evaluate((notch) => [...document.querySelectorAll('a, button, input, h2, p, img')]
    .map((node) => [node.getBoundingClientRect(), node])
    .filter(([{ left, right, width }]) => width > 1 && (left < notch || right > innerWidth - notch))
    .filter(([, node]) => !node.closest('.skip, .category-tabs'))
    .map(([, node]) => node.outerHTML.slice(0, 80)), NOTCH);
  assert.deepEqual(beside, []);
  assertQuiet(page);
});
