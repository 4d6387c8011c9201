// What nobody sends who means well: addresses that are none, and what the browser keeps changed by hand.
// A page says so or does without; it never breaks, and whoever comes next sees nothing of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  DESK, SHOP_URL, assertQuiet, button, heading, link, logInAt, sessionOf, startBrowser, tab, visitor,
} from '../lib/browser.mjs';
import { checkOut } from '../lib/ordering.mjs';
import { startServer } from '../lib/server.mjs';
import { PASSWORD, addFood, logInAdmin, order, signUp, unique } from '../lib/shop.mjs';

let server;
let browser;
let admin;
let dish;

before(async () => {
  server = await startServer({ settings: { public_url: SHOP_URL } });
  admin = await logInAdmin(server);
  dish = await addFood(admin, { name: unique('Dish'), price: 100000 });
  browser = await startBrowser(server.port);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const path of ['/orders/50%', '/orders/1e1', '/pay/%zz', '/pay/x', '/admin/orders/%E0%A4', '/%'])
  test(`there is no page at ${path}, and from there the menu is found`, async (t) => {
    const page = await visitor(t, browser, { viewport: DESK });
    await page.goto(path);
    await heading(page, 'No such page').waitFor();
    await link(page, 'Menu').click();
    await heading(page, dish.name).waitFor();
    assertQuiet(page);
  });

for (const path of ['//', '///cart', '//evil.example/'])
  test(`${path} is no other host to the pages`, async (t) => {
    const page = await visitor(t, browser, { viewport: DESK });
    await page.goto(SHOP_URL + path);
    await link(page, 'Menu').click();
    await heading(page, dish.name).waitFor();
    assertQuiet(page);
  });

test('an address that names no dish of the menu shows the menu', async (t) => {
  const page = await visitor(t, browser);
  await page.goto('/#50%');
  await heading(page, dish.name).waitFor();
  assertQuiet(page);
});

/* Writes into what the browser keeps, before the pages read it. */
const keep = (page, kept) => page.addInitScript((entries) => {
  for (const [name, value] of entries) {
    localStorage.setItem(`servery.${name}`, value);
    sessionStorage.setItem(`servery.${name}`, value);
  }
}, Object.entries(kept));

const line = (id, more = {}) => ({
  food_id: id, name: 'x', quantity: 1, wish: { key: 'a'.repeat(32), quantity: 1 }, ...more });

const CARTS = {
  'no list': '{"__proto__":{"length":1}}',
  'no numbers': '[null,5,"x",[],{},{"food_id":1e308,"name":"x","quantity":"1"}]',
  'numbers that no line has': JSON.stringify([line(1, { quantity: -1 }), line(2, { quantity: 1e9 }), line(3, { quantity: 0.5 })]),
  'keys that no header takes': JSON.stringify([line(1, { wish: { key: 'ü\n', quantity: 1 } })]),
};

for (const [what, cart] of Object.entries(CARTS))
  test(`a cart of ${what} is an empty one`, async (t) => {
    const page = await visitor(t, browser);
    await keep(page, { cart });
    await page.goto('/cart');
    await page.getByText('Your cart is empty.').first().waitFor();
    assertQuiet(page);
  });

test('a cart of thousands of lines, many of them the same, is cut to what a cart holds', async (t) => {
  const page = await visitor(t, browser);
  const lines = Array.from({ length: 10_000 }, (_, i) => line(i % 2 ? 1000 + i : dish.id));
  await keep(page, { cart: JSON.stringify(lines) });
  await page.goto('/cart');
  await heading(page, dish.name).waitFor();
  assert.equal(await page.locator('.cart-line').count(), 50);
  assertQuiet(page);
});

for (const value of ['5', '"x"', 'true', '[]', '{"1":"x"}', '{"currency":"<b>","currency_exponent":400}',
  '{"currency":"NGN","currency_exponent":2,"name":{}}', '{"email":"a@b.example","signup_token":"x"}', '{'])
  test(`${value} kept in every place breaks no page`, async (t) => {
    const page = await visitor(t, browser);
    await keep(page, Object.fromEntries(['prices', 'shop', 'fulfilment', 'friend', 'board.seen', 'order',
      'order.attempt', 'draft', 'signup'].map((name) => [name, value])));
    await keep(page, { cart: JSON.stringify([line(dish.id)]) });
    for (const [path, name] of [['/', 'Menu'], ['/cart', 'Your cart'], ['/signup', 'Create an account'],
      ['/verify', 'Enter the code'], ['/login', 'Log in']]) {
      await page.goto(path);
      await heading(page, name).waitFor();
    }
    await logInAt(page);
    await heading(page, 'Board').waitFor();
    await page.goto('/checkout');
    await page.getByLabel('Pick it up').waitFor();
    assertQuiet(page);
  });

/* All that this browser has kept, as one text. */
const everythingKept = (page) => page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));

test('whoever logs out leaves nothing of an order to the next one at this browser', async (t) => {
  const [customer, next] = [await signUp(server), await signUp(server)];
  const page = await visitor(t, browser, sessionOf(customer));
  const second = await tab(page.context());
  await checkOut(page, dish);
  await page.getByLabel('Have it delivered').check();
  await page.getByLabel('Where to?').fill('7 Marina');
  await page.getByLabel(/^A note/).fill('Ring twice');
  await second.goto('/cart');
  await heading(second, dish.name).waitFor();
  await button(second, `Remove ${dish.name}`).click();
  await button(second, 'Undo').waitFor();
  assert.match(await everythingKept(page), /7 Marina/);

  await second.goto('/account');
  await button(second, /^Log out/).click();
  await heading(page, 'Log in').waitFor();
  await button(second, 'Undo').waitFor({ state: 'detached' });
  for (const each of [page, second])
    assert.doesNotMatch(await everythingKept(each), /Marina|twice|prices|fulfilment/);
  await logInAt(page, next.user.email, PASSWORD);
  await page.waitForURL('**/checkout');
  await page.getByText('Your cart is empty').first().waitFor();
  assert.deepEqual((await next.get('/api/cart')).body.items, []);
  assertQuiet(page, second);
});

test('an email that would name another reader too writes to its owner alone', async (t) => {
  const sly = await signUp(server, { email: `a?bcc=other%40example.org&${unique()}@example.org`, name: 'Sly' });
  const placed = await order(sly, [dish]);
  const page = await visitor(t, browser);
  await page.goto(`/login?next=/admin/orders/${placed.id}`);
  await logInAt(page);
  const href = await link(page, sly.user.email).getAttribute('href');
  const { pathname, search } = new URL(href);
  assert.deepEqual([decodeURIComponent(pathname), search], [sly.user.email, '']);
});
