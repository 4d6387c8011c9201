// The shop's own page of a payment, and every way in which a payment can end: with the customer, with somebody
// who only has the link, and with the staff, who see the money that fits nothing. The clock is the test's.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  DESK, SHOP_URL, assertFits, assertQuiet, button, heading, link, sessionOf, startBrowser, tab, visitor,
} from '../lib/browser.mjs';
import { beginToPay, checkOut, customerWithDish, follow, giveUp, ordersOf, pay } from '../lib/ordering.mjs';
import { startServer } from '../lib/server.mjs';
import { fillCart, logInAdmin, place, simulate, stockOf } from '../lib/shop.mjs';

const HOLD_MS = 15 * 60_000;

let server;
let browser;
let admin;

before(async () => {
  server = await startServer({ clock: true, settings: { public_url: SHOP_URL, io_threads: 1 } });
  admin = await logInAdmin(server);
  browser = await startBrowser(server.port);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/* A customer with a plate of a dish of which there are ten. */
const begin = (t) => customerWithDish(t, { server, admin, browser }, { stock: 10 });

/* Somebody else's phone, with nothing but the link. */
async function payer(t, payment) {
  const page = await visitor(t, browser);
  await page.goto(payment.checkout_url);
  return page;
}

test('the time to pay is over while one looks at it: said at once, and paid for anew', async (t) => {
  const { customer, dish, page } = await begin(t);

  await checkOut(page, dish);
  await beginToPay(server, page);
  await page.getByText(/^Held for you for another/).waitFor();
  server.clock.advance(HOLD_MS);
  await page.getByText('The time to pay is over. Nothing was ordered').waitFor();
  await page.getByText('Your cart is as it was.').waitFor();
  await assertFits(page);
  assert.equal(await stockOf(admin, dish), 10);
  await link(page, 'Try again').click();
  await pay(server, page);
  assert.equal((await ordersOf(customer)).length, 1);
  assertQuiet(page);
});

test('given up, and replaced by paying for another cart: the link of the old one says so', async (t) => {
  const { customer, dish, page } = await begin(t);

  await checkOut(page, dish);
  await beginToPay(server, page);
  const first = await giveUp(page);
  await heading(page, dish.name).waitFor();
  await page.goto(first);
  await page.getByText('This payment was given up, or another one took its place. Nothing was ordered.').waitFor();
  await link(page, 'Try again').click();
  await beginToPay(server, page);
  const other = await tab(page.context());
  await other.goto('/cart');
  await other.getByText('waits for its payment').waitFor();
  await button(other, `One more ${dish.name}`).click();
  await link(other, 'Check out').click();
  await other.getByText('Another payment of yours is still open').waitFor();
  await beginToPay(server, other, 'Pay ₦2,000');
  await page.getByText('This payment was given up, or another one took its place.').waitFor();
  await button(other, 'Pay ₦2,000').click();
  await follow(other);
  assert.deepEqual((await ordersOf(customer)).map(({ total }) => total), [200000]);
  assertQuiet(page, other);
});

test('decided on another phone meanwhile: the page shows what was decided', async (t) => {
  const { customer, dish, page } = await begin(t);

  await fillCart(customer, dish);
  const declined = await place(customer);
  const phone = await payer(t, declined);
  await button(phone, 'Pay ₦1,000').waitFor();
  // In one breath, so that the page cannot hear of it before its button is pressed.
  await phone.evaluate((id) => {
    const other = new XMLHttpRequest();
    other.open('POST', `/api/payments/${id}/simulate`, false);
    other.setRequestHeader('Authorization', `Bearer ${location.hash.slice(1)}`);
    other.setRequestHeader('Content-Type', 'application/json');
    other.send('{"outcome":"failed"}');
    [...document.querySelectorAll('button')].find(({ textContent }) => /^Pay/.test(textContent)).click();
  }, declined.id);
  await phone.getByText('The payment was declined. No money was taken, and nothing was ordered.').waitFor();
  await page.goto('/checkout');
  await page.getByLabel('Pick it up').check();
  await beginToPay(server, page);
  await simulate(server, (await customer.get('/api/cart')).body.pending_payment);
  await follow(page);
  assertQuiet(page, phone);
});

test('a link that was cut short opens nothing, and says what to do', async (t) => {
  const { customer, dish } = await begin(t);

  await fillCart(customer, dish);
  const payment = await place(customer);
  const page = await payer(t, { checkout_url: payment.checkout_url.slice(0, -4) });
  await page.getByText('There is no payment here that this link opens.').waitFor();
  await page.goto(payment.checkout_url);
  await button(page, 'Pay ₦1,000').click();
  await page.getByText('Whoever ordered can follow it among the orders of the account.').waitFor();
  assertQuiet(page);
});

/* The card of a payment among those that need somebody. */
async function needing(t, customer) {
  const page = await visitor(t, browser, { viewport: DESK, ...sessionOf(admin) });
  await page.goto('/admin/payments?show=attention');
  const card = page.getByRole('article').filter({ hasText: customer.user.email });
  await card.waitFor();
  return { page, card };
}

test('paid too late for a dish that is gone: the customer knows, the staff makes the order after all', async (t) => {
  const { customer, dish, page } = await begin(t);

  await fillCart(customer, dish);
  const payment = await place(customer);
  server.clock.advance(HOLD_MS);
  await admin.put(`/api/foods/${dish.id}/availability`, { available: false });
  await simulate(server, payment);
  await page.goto(payment.checkout_url);
  await page.getByText('Your money has arrived, but the order could not be made.').waitFor();
  await assertFits(page);
  const { page: desk, card } = await needing(t, customer);
  await card.getByText('a dish could not be had any more').first().waitFor();
  await admin.put(`/api/foods/${dish.id}/availability`, { available: true });
  await button(card, 'Make the order after all').click();
  await button(card, 'Yes, ₦1,000 is here').click();
  await card.getByText('the kitchen has the order').waitFor();
  await page.reload();
  await follow(page);
  assert.equal((await ordersOf(customer)).length, 1);
  assertQuiet(page, desk);
});

test('paid after it was given up: no order, and the staff pays it back; two of them are not in each other’s way', async (t) => {
  const { customer, dish, page } = await begin(t);

  await fillCart(customer, dish);
  const payment = await place(customer);
  await customer.delete(`/api/payments/${payment.id}`, { expect: 204 });
  await simulate(server, payment);
  await page.goto(payment.checkout_url);
  await page.getByText('Your money has arrived, but the order could not be made.').waitFor();
  assert.deepEqual(await ordersOf(customer), []);

  const { page: desk, card } = await needing(t, customer);
  await card.getByText('The customer had given this payment up, and then the money came.').first().waitFor();
  await button(card, 'Mark as done').click();
  await card.getByLabel('What you did').fill('Paid back by transfer');
  await admin.put(`/api/admin/payments/${payment.id}`, { note: 'I am calling the customer' });
  await button(card, 'It is done').click();
  await card.getByText('Something has come in about this payment meanwhile.').waitFor();
  assert.equal(await card.getByLabel('What you did').inputValue(), 'Paid back by transfer');
  await button(card, 'It is done').click();
  await card.getByText('Marked as done.').waitFor();
  assertQuiet(page, desk);
});
