// What goes wrong while somebody orders, and what the pages make of it: nothing is lost, nothing is
// ordered twice, and it is said what happened.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  SHOP_URL, assertQuiet, button, heading, link, logInAt, sessionOf, startBrowser, tab, visitor,
} from '../lib/browser.mjs';
import {
  arriveAtPayment, beginToPay, checkOut, choose, customerWithDish, follow, follows, isAt, ordersOf, pay,
} from '../lib/ordering.mjs';
import { freePort } from '../lib/ports.mjs';
import { startServer } from '../lib/server.mjs';
import { PASSWORD, addFood, logIn, logInAdmin, move, order, signUp, unique } from '../lib/shop.mjs';

let server;
let browser;
let admin;

before(async () => {
  server = await startServer({ settings: { public_url: SHOP_URL, payment_hold: '5m' } });
  admin = await logInAdmin(server);
  browser = await startBrowser(server.port);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const begin = (t, food) => customerWithDish(t, { server, admin, browser }, food);

test('a session that ends in mid-checkout: what was typed is there after logging in again', async (t) => {
  const { customer, dish, page } = await begin(t);

  await checkOut(page, dish);
  await page.getByLabel('Have it delivered').check();
  await page.getByLabel('Where to?').fill('7 Marina');
  await page.getByLabel(/^A note/).fill('Ring twice');
  const elsewhere = await logIn(server, customer.user.email);
  await elsewhere.put('/api/me/password', { current_password: PASSWORD, new_password: `${PASSWORD} 2` });
  server.secrets.add(`${PASSWORD} 2`);
  await button(page, /^Pay /).click();
  await page.getByText(/session has ended/i).first().waitFor();
  await logInAt(page, customer.user.email, `${PASSWORD} 2`);
  await page.waitForURL('**/checkout');
  assert.equal(await page.getByLabel('Where to?').inputValue(), '7 Marina');
  assert.equal(await page.getByLabel(/^A note/).inputValue(), 'Ring twice');
  await pay(server, page);
  const [placed, ...others] = await ordersOf(elsewhere);
  assert.deepEqual([placed.address, placed.note, others.length], ['7 Marina', 'Ring twice', 0]);
  assertQuiet(page);
});

test('a price that changes under a filled cart is said, and the new one has to be agreed to', async (t) => {
  const { customer, dish, page } = await begin(t);

  await checkOut(page, dish);
  await admin.put(`/api/foods/${dish.id}/price`, { price: 130000 });
  await button(page, 'Pay ₦1,000').click();
  await page.getByText('The price has changed while you were choosing').waitFor();
  assert.deepEqual(await ordersOf(customer), []);
  await button(page, 'Pay ₦1,300').waitFor();
  await pay(server, page);
  assert.equal((await ordersOf(customer))[0].total, 130000);
  assertQuiet(page);
});

test('a dish that is sold out under a filled cart is named, and the rest goes on', async (t) => {
  const { customer, dish, page } = await begin(t, { stock: 1 });
  const other = await addFood(admin, { name: unique('Other'), price: 50000 });

  await checkOut(page, other, dish);
  await order(await signUp(server), [dish]);
  await button(page, /^Pay /).click();
  await page.getByText(dish.name).first().waitFor();
  await button(page, 'Go on without').click();
  await button(page, 'Pay ₦500').waitFor();
  await pay(server, page);
  const [placed] = await ordersOf(customer);
  assert.deepEqual(placed.items.map((line) => line.name), [other.name]);
  assertQuiet(page);
});

test('a dish that the kitchen takes off the menu is marked in the cart, which can be mended', async (t) => {
  const { dish, page } = await begin(t);

  await choose(page, dish);
  await admin.put(`/api/foods/${dish.id}/availability`, { available: false });
  await page.reload();
  await page.getByText('Not available now.').waitFor();
  await button(page, 'Remove').click();
  await page.getByText('Your cart is empty').first().waitFor();
  await button(page, 'Undo').waitFor();
  assertQuiet(page);
});

test('a visitor fills a cart, two tabs show it, and it joins that of his account', async (t) => {
  const customer = await signUp(server);
  const [had, chosen] = [await addFood(admin, { price: 1000 }), await addFood(admin, { price: 2000 })];
  await customer.post('/api/cart/items', { food_id: had.id, quantity: 2 });
  const page = await visitor(t, browser);
  const second = await tab(page.context());

  await page.goto('/');
  await second.goto('/');
  await button(page, `Add ${chosen.name}`).click();
  await button(second, `One more ${chosen.name}`).click();
  await link(page, /2 dishes.*View cart/).waitFor();
  await page.goto('/login');
  await logInAt(page, customer.user.email, PASSWORD);
  await link(page, /4 dishes.*View cart/).waitFor();
  await link(second, /4 dishes.*View cart/).waitFor();
  const { body: cart } = await customer.get('/api/cart');
  assert.deepEqual(cart.items.map(({ food_id, quantity }) => [food_id, quantity]).sort((a, b) => a[0] - b[0]),
    [[had.id, 2], [chosen.id, 2]]);

  // Logged out in one, logged out in the other, and the cart stays with the account.
  await page.goto('/account');
  await button(page, /^Log out/).click();
  await link(second, 'Log in').waitFor();
  await link(second, /View cart/).waitFor({ state: 'detached' });
  assertQuiet(page, second);
});

test('two tabs follow an order by one stream, and the other goes on when one is closed', async (t) => {
  const { customer, dish, page } = await begin(t);
  const placed = await order(customer, [dish]);
  const second = await tab(page.context());
  const streams = () => [...page.asked, ...second.asked].filter((url) => url.endsWith('/events')).length;

  await page.goto(`/orders/${placed.id}`);
  await follows(page, 'Ordered');
  await second.goto(`/orders/${placed.id}`);
  await follows(second, 'Ordered');
  await move(admin, placed, 'confirmed');
  await follows(page, 'Confirmed');
  await follows(second, 'Confirmed');
  assert.equal(streams(), 1, 'one stream for both');
  await page.close();
  await move(admin, placed, 'preparing');
  await follows(second, 'Preparing');
  await move(admin, placed, 'ready');
  await follows(second, 'Ready');
  assertQuiet(second);
});

test('quick taps add up, and a double tap on Pay orders once', async (t) => {
  const { customer, dish, page } = await begin(t);

  await page.goto('/');
  await button(page, `Add ${dish.name}`).click();
  const more = button(page, `One more ${dish.name}`);
  for (let i = 0; i < 6; i++) await more.click({ delay: 0 });
  await link(page, /7 dishes.*View cart/).click();
  await link(page, /^Check out/).click();
  await page.getByLabel('Pick it up').check();
  await button(page, 'Pay ₦7,000').dblclick();
  await arriveAtPayment(server, page);
  await button(page, 'Pay ₦7,000').dblclick();
  await page.waitForURL('**/orders/*'); // led there
  const orders = await ordersOf(customer);
  assert.deepEqual(orders.map(({ items }) => items.map((line) => line.quantity)), [[7]]);
  assertQuiet(page);
});

test('the back button leads through the whole way, and never to a payment that is over', async (t) => {
  const { dish, page } = await begin(t);
  const at = (path) => page.waitForURL(isAt(path));

  await checkOut(page, dish);
  await page.goBack();
  await at('/cart');
  await heading(page, dish.name).waitFor();
  await page.goBack();
  await at('/');
  await link(page, /1 dish.*View cart/).waitFor();
  await page.goForward();
  await at('/cart');
  await page.goForward();
  await at('/checkout');
  await page.getByLabel('Pick it up').check();
  await beginToPay(server, page);
  await page.goBack();
  await at('/checkout');
  await button(page, /^Pay /).waitFor();
  await pay(server, page);
  await page.goBack();
  await page.waitForURL((url) => !url.pathname.startsWith('/pay/'));
  assertQuiet(page);
});

test('without a connection it is said, what was chosen stays, and it is sent when there is one', async (t) => {
  const { customer, dish, page } = await begin(t);

  await checkOut(page, dish);
  await page.context().setOffline(true);
  await button(page, /^Pay /).click();
  await page.getByText('No connection to the shop').first().waitFor();
  assert.deepEqual(await ordersOf(customer), []);
  await page.context().setOffline(false);
  await arriveAtPayment(server, page);
  await button(page, /^Pay /).click();
  await follow(page);
  assert.equal((await ordersOf(customer)).length, 1);
});

test('the server is killed under an open order page, comes back, and the page goes on', async (t) => {
  const settings = { public_url: SHOP_URL, listen: `127.0.0.1:${await freePort()}` };
  const own = await startServer({ settings });
  t.after(() => own.kill());
  const its = await startBrowser(own.port);
  t.after(() => its.close());
  const boss = await logInAdmin(own);
  const customer = await signUp(own);
  const placed = await order(customer, [await addFood(boss)]);
  const page = await visitor(t, its, sessionOf(customer));
  await page.goto(`/orders/${placed.id}`);
  await follows(page, 'Ordered');
  await page.evaluate(() => { window.sameVisit = true; });

  await own.kill();
  await page.getByText('No connection to the shop').first().waitFor();
  const back = await startServer({ dir: own.dir, settings });
  t.after(() => back.kill());
  await move(await logInAdmin(back), placed, 'confirmed');
  await follows(page, 'Confirmed');
  await page.getByText('No connection to the shop').first().waitFor({ state: 'detached' });
  await move(await logInAdmin(back), placed, 'preparing');
  await follows(page, 'Preparing');
  assert.equal(await page.evaluate(() => window.sameVisit), true);
  await its.close();
  await back.stop();
});
