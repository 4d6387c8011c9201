// What cannot be chosen, or not any more: each page says what happened, what was kept and what to do. And a
// shop that cannot write, or not tell its news, for a while.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  SHOP_URL, assertFits, assertQuiet, button, heading, link, logInAt, sessionOf, startBrowser, tab, visitor,
} from '../lib/browser.mjs';
import { openStream } from '../lib/client.mjs';
import { checkOut, choose, customerWithDish, follows, isAt, ordersOf, pay } from '../lib/ordering.mjs';
import { startServer } from '../lib/server.mjs';
import {
  PASSWORD, addFood, fillCart, logInAdmin, move, order, place, signUp, simulate, unique,
} from '../lib/shop.mjs';

const MOST = 10 ** 12; // what a dish can cost, and an order
const LINES_MAX = 50;
const STREAMS_MAX = 10;
const UNPAID_MAX = 20;

let server;
let browser;
let admin;
let many; // more dishes than a cart holds

before(async () => {
  server = await startServer({ settings: { public_url: SHOP_URL } });
  admin = await logInAdmin(server);
  many = await Promise.all(Array.from({ length: LINES_MAX + 1 }, () => addFood(admin, { price: 100 })));
  browser = await startBrowser(server.port);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const begin = (t, food) => customerWithDish(t, { server, admin, browser }, food);

const card = (page, { name }) => page.getByRole('listitem').filter({ has: heading(page, name) });

test('a dish that is gone while the menu is read: sold out, off for today, off for good', async (t) => {
  const { dish, page } = await begin(t, { stock: 3 });
  const [off, gone] = [await addFood(admin, { name: unique('Off') }), await addFood(admin, { name: unique('Gone') })];

  await page.goto('/');
  await button(page, `Add ${dish.name}`).click();
  await link(page, /1 dish.*View cart/).waitFor();
  await order(await signUp(server), [[dish, 1]]);
  await button(page, `One more ${dish.name}`).click();
  await link(page, /2 dishes.*View cart/).waitFor();
  await button(page, `One more ${dish.name}`).click();
  await card(page, dish).getByText('Only 2 left.', { exact: true }).waitFor();
  await admin.put(`/api/foods/${off.id}/availability`, { available: false });
  await button(page, `Add ${off.name}`).click();
  await card(page, off).getByText('The kitchen has just taken this off the menu.').waitFor();
  await admin.delete(`/api/foods/${gone.id}`);
  await button(page, `Add ${gone.name}`).click();
  await page.getByText(`${gone.name} is no longer on the menu.`).waitFor();
  assert.equal(await card(page, gone).count(), 0);
  await link(page, /2 dishes.*View cart/).waitFor();
  assertQuiet(page);
});

test('a full cart, an account’s and a guest’s: what is in it stays, and one has to go first', async (t) => {
  const customer = await signUp(server);
  await fillCart(customer, ...many.slice(0, LINES_MAX));
  const page = await visitor(t, browser, sessionOf(customer));
  const guest = await visitor(t, browser);
  const [more] = many.slice(LINES_MAX);

  await page.goto('/');
  await link(page, /50 dishes.*View cart/).waitFor(); // what is tapped before joins the cart, and is told otherwise
  await button(page, `Add ${more.name}`).click();
  await card(page, more).getByText('A cart holds 50 different dishes. Take one out first.').waitFor();
  await link(page, /50 dishes.*View cart/).waitFor();
  await guest.goto('/');
  await button(guest, `Add ${more.name}`).waitFor();
  await guest.evaluate((names) => names.forEach((name) =>
    document.querySelector(`[aria-label="Add ${name}"]`).click()), many.map(({ name }) => name));
  await card(guest, more).getByText('A cart holds 50 different dishes. Take one out first.').waitFor();
  await link(guest, /50 dishes.*View cart/).waitFor();
  await button(guest, `Take ${many[0].name} out`).click();
  await button(guest, `Add ${more.name}`).click();
  await button(guest, `Take ${more.name} out`).waitFor();
  assertQuiet(page, guest);
});

test('no more than 99 of a dish, and no order that is larger than money can be', async (t) => {
  const { customer, dish, page } = await begin(t);
  const dear = await addFood(admin, { name: unique('Dear'), price: MOST - 98 * dish.price });

  await fillCart(customer, [dish, 98], [dear, 1]);
  await page.goto('/cart');
  await button(page, `One more ${dish.name}`).click();
  await page.getByText('This is more than one order can cost. Your cart is safe: take something out of it.').waitFor();
  await admin.put(`/api/foods/${dear.id}/price`, { price: MOST });
  await link(page, 'Check out').click();
  await page.getByLabel('Pick it up').check();
  await button(page, /^Pay /).click();
  await page.getByText('This is more than one order can cost. Your cart is safe: take something out of it.').waitFor();
  await assertFits(page);
  await link(page, 'Change').click();
  await button(page, `Remove ${dear.name}`).click();
  await button(page, `One more ${dish.name}`).click();
  await page.waitForFunction((name) => document.querySelector(`[aria-label="${name}"]`).disabled, `One more ${dish.name}`);
  await link(page, 'Check out').click();
  await button(page, 'Pay ₦99,000').waitFor();
  assertQuiet(page);
});

test('what a visitor chose and cannot have any more is named when it joins the cart of his account', async (t) => {
  const customer = await signUp(server);
  const [kept, gone] = [await addFood(admin, { name: unique('Kept') }), await addFood(admin, { name: unique('Gone'), stock: 1 })];
  const page = await visitor(t, browser);

  await choose(page, kept, gone);
  await link(page, 'Check out').click();
  await order(await signUp(server), [gone]);
  await logInAt(page, customer.user.email, PASSWORD);
  await page.getByText(`Could not be added to your cart any more: ${gone.name}. The rest is there.`).waitFor();
  await page.waitForURL('**/checkout');
  await page.getByText(kept.name).waitFor();
  assertQuiet(page);
});

test('at the checkout: fewer are left than were chosen, another dish is off, and the rest is ordered', async (t) => {
  const { customer, dish, page } = await begin(t, { stock: 5 });
  const off = await addFood(admin, { name: unique('Off') });

  await checkOut(page, dish, off);
  await customer.put(`/api/cart/items/${dish.id}`, { quantity: 4 });
  await page.reload();
  await order(await signUp(server), [[dish, 2]]);
  await admin.put(`/api/foods/${off.id}/availability`, { available: false });
  await button(page, /^Pay /).click();
  await page.getByText(`${dish.name}: Only 3 left, and you chose 4`).waitFor();
  await page.getByText(`${off.name}: Not available now`).waitFor();
  await assertFits(page);
  await button(page, 'Take what is left').click();
  await pay(server, page, 'Pay ₦3,000');
  const [{ items }] = await ordersOf(customer);
  assert.deepEqual(items.map(({ name, quantity }) => [name, quantity]), [[dish.name, 3]]);
  assertQuiet(page);
});

test('a cart that was emptied or ordered in another tab is no error at the checkout', async (t) => {
  const { customer, dish, page } = await begin(t);

  await checkOut(page, dish);
  await order(customer, []);
  await button(page, /^Pay /).click();
  await page.getByText('Your cart is empty. What you have ordered and paid is among your orders.').waitFor();
  await link(page, 'Your orders').last().click();
  await page.getByText(dish.name).waitFor();
  assert.equal((await ordersOf(customer)).length, 1);
  assertQuiet(page);
});

test('too many payments that were never paid: it is said when the next one can be', async (t) => {
  const { customer, dish, page } = await begin(t);

  await fillCart(customer, dish);
  for (let i = 0; i < UNPAID_MAX; i++) await simulate(server, await place(customer, { note: `${i}` }), 'failed');
  await page.goto('/checkout');
  await page.getByLabel('Pick it up').check();
  await button(page, /^Pay /).click();
  await page.getByText(/^Too many payments .* Your cart is safe\. Try again in \d+ minutes\.$/).waitFor();
  await heading(page, 'Check out').waitFor();
  await assertFits(page);
  assertQuiet(page);
});

test('an order of somebody else, and one that never was, are the same to whoever asks', async (t) => {
  const { dish, page } = await begin(t);
  const theirs = await order(await signUp(server), [dish]);

  for (const id of [theirs.id, 999999]) {
    await page.goto(`/orders/${id}`);
    await page.getByText('This is not here: it was taken away, or it belongs to somebody else.').waitFor();
    assert.equal(await page.getByText(dish.name).count(), 0);
  }
  assertQuiet(page);
});

test('an account that is closed under an open page: it is logged out, and told why', async (t) => {
  const { customer, dish, page } = await begin(t);
  const placed = await order(customer, [dish]);

  await page.goto(`/orders/${placed.id}`);
  await follows(page, 'Ordered');
  await page.getByText('Updates by itself').waitFor();
  await admin.put(`/api/admin/users/${customer.user.id}`, { disabled: true });
  await page.getByText('Your session has ended.').waitFor();
  await logInAt(page, customer.user.email, PASSWORD);
  await page.getByText('This account is closed. Please ask the shop.').waitFor();
  assertQuiet(page);
});

test('no stream to be had: the order page says that it is not live, reads anew, and is live again', async (t) => {
  const { customer, dish, page } = await begin(t);
  const placed = await order(customer, [dish]);
  const path = `/api/orders/${placed.id}/events`;
  const streams = await Promise.all(Array.from({ length: STREAMS_MAX }, () => openStream(customer, path)));

  await page.goto(`/orders/${placed.id}`);
  await page.getByText('The live connection is lost.').waitFor();
  await move(admin, placed, 'confirmed');
  for (const stream of streams) stream.close();
  await follows(page, 'Confirmed');
  await page.getByText('Live again: this is up to date.').waitFor();
  await move(admin, placed, 'preparing');
  await follows(page, 'Preparing');
  assertQuiet(page);
});

test('a shop that cannot store anything: nobody is let in, nothing is lost, and the order waits', async (t) => {
  const { customer, dish, page } = await begin(t);
  const outside = await visitor(t, browser);

  await checkOut(page, dish);
  const second = await tab(page.context());
  await second.goto('/cart');
  await heading(second, dish.name).waitFor();
  await outside.goto('/login');
  server.setFull(true);
  t.after(() => server.setFull(false));
  await logInAt(outside, customer.user.email, PASSWORD);
  await outside.getByText('The shop is very busy. Nothing was changed; please try again in a moment.').waitFor();
  await button(second, `One more ${dish.name}`).click();
  await second.getByText('The shop is very busy. Nothing was changed; please try again in a moment.').waitFor();
  await link(second, 'Check out').waitFor();
  await button(page, 'Pay ₦1,000').click();
  await page.getByText('The shop is very busy. Your order is kept, and is tried again in a moment.').waitFor();
  await assertFits(page);

  server.setFull(false);
  await page.waitForURL('**/pay/**');
  server.secrets.add(new URL(page.url()).hash.slice(1));
  await button(outside, 'Log in').click();
  await outside.waitForURL(isAt('/'));
  await button(second, `One more ${dish.name}`).click();
  await second.getByText('2 dishes in your cart').waitFor({ state: 'attached' });
  assert.equal((await customer.get('/api/cart')).body.pending_payment.amount, 100000);
  assertQuiet(page, second, outside);
});
