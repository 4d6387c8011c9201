// Every page of the shop, light and dark, on a phone, a tablet and a desk: axe finds nothing, nothing is
// wider than the screen, no other host is asked, and the console is silent. The shop is full of what is
// hard to show: long German words, Arabic names, amounts of twelve digits.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  DESK, PHONE, SHOP_URL, TABLET, assertFits, assertQuiet, axe, logInAt, startBrowser, visitor,
} from '../lib/browser.mjs';
import { ADMIN, startServer } from '../lib/server.mjs';
import {
  PASSWORD, addFood, fillCart, logInAdmin, moveAlong, order, place, signUp,
} from '../lib/shop.mjs';

const LONG_WORD = 'Donaudampfschifffahrtsgesellschaftskapitänskajütenfrühstücksplatte';
const ARABIC = 'مشويات الحاج عبد الرحمن بن سليمان مع الأرز والخضار والصلصة الحارة';

let server;
let browser;
let customer;
let pages;

/* An order in each of its states, and payments of each kind. */
async function fillShop(admin) {
  const foods = [
    await addFood(admin, { name: LONG_WORD, category: LONG_WORD.slice(0, 40), price: 123456789012 }),
    await addFood(admin, { name: ARABIC, category: 'مشويات', description: ARABIC.repeat(3), stock: 50 }),
    await addFood(admin, { name: 'Two lines of a name that goes on and on, with a side of everything', stock: 0 }),
  ];
  const dish = foods[1];
  const states = ['pending', 'confirmed', 'preparing', 'ready', 'out_for_delivery', 'completed', 'cancelled'];
  const orders = {};
  for (const status of states)
    orders[status] = await moveAlong(admin, await order(customer, [[dish, 2]], {
      fulfilment: 'delivery', address: `${LONG_WORD}-Straße 7\nHinterhaus`, note: `${ARABIC}\n${LONG_WORD}`,
    }), status);
  await fillCart(customer, [foods[0], 2], [dish, 3]);
  const payment = await place(customer, { note: 'Open' });
  return { foods, orders, payment };
}

before(async () => {
  server = await startServer({ settings: { public_url: SHOP_URL } });
  const admin = await logInAdmin(server);
  customer = await signUp(server, {
    email: 'hard@example.org', name: `${ARABIC.slice(0, 40)} ${LONG_WORD.slice(0, 40)}` });
  const { foods, orders, payment } = await fillShop(admin);
  const checkout = new URL(payment.checkout_url);
  pages = {
    anyone: [
      '/', '/?q=rice', '/?q=nothing-like-it', '/cart', '/login', '/login?next=/checkout', '/signup',
      '/signup?ref=ABCDEFGH', '/verify', '/forgot', '/reset', '/reset#token=abc', '/no/such/page',
      checkout.pathname + checkout.hash, '/pay/999999#nothing',
    ],
    customer: [
      '/', '/cart', '/checkout', '/orders', '/account', '/orders/999999', '/admin',
      ...Object.values(orders).map(({ id }) => `/orders/${id}`),
    ],
    admin: [
      '/admin', '/admin/orders', '/admin/orders?q=hard', '/admin/menu', '/admin/menu/new',
      `/admin/menu/${foods[0].id}`, '/admin/menu/999999', '/admin/customers', '/admin/payments', '/admin/sales',
      '/admin/settings', ...['pending', 'ready', 'cancelled'].map((status) => `/admin/orders/${orders[status].id}`),
      `/admin/orders/${orders.confirmed.id}/ticket`, `/admin/orders/${orders.completed.id}/receipt`,
    ],
  };
  browser = await startBrowser(server.port);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/* Looks at a page once what it reads is there. */
async function open(page, path) {
  await page.goto(path);
  await page.locator('h1').first().waitFor({ state: 'attached' });
  await page.waitForFunction(() => !document.querySelector('.loading, [aria-busy=true]'));
}

/* Each page of one kind of visitor, in one browser: found faults are told together. */
async function look(t, paths, logIn, options, check) {
  const page = await visitor(t, browser, options);
  const faults = [];
  if (logIn) {
    await page.goto('/login');
    await logIn(page);
    await page.waitForURL((url) => url.pathname !== '/login');
  }
  for (const path of paths) {
    await open(page, path);
    await check(page, path).catch((error) => faults.push(`${path}: ${error.message}`));
  }
  assert.deepEqual(faults, []);
  assertQuiet(page);
}

const VISITORS = {
  anyone: null,
  customer: (page) => logInAt(page, customer.user.email, PASSWORD),
  admin: (page) => logInAt(page, ADMIN.email, ADMIN.password),
};

async function assertAccessible(page) {
  assert.deepEqual(await axe(page), []);
}

for (const [who, logIn] of Object.entries(VISITORS)) {
  for (const colorScheme of ['light', 'dark'])
    test(`axe finds nothing on the pages of: ${who}, ${colorScheme}`, (t) =>
      look(t, pages[who], logIn, { colorScheme, reducedMotion: 'reduce' }, assertAccessible));
  for (const [device, viewport] of Object.entries({ PHONE, TABLET, DESK }))
    test(`nothing sticks out of the pages of: ${who}, ${device.toLowerCase()}`, (t) =>
      look(t, pages[who], logIn, { viewport }, assertFits));
}
