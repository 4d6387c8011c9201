// Paying at a payment service of its own: there and back again, and all that can go wrong between the
// customer, the shop and the service. The clock is the test's.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  SHOP_URL, assertFits, assertQuiet, button, heading, link, startBrowser, tab,
} from '../lib/browser.mjs';
import {
  arriveAtPayment, checkOut, customerWithDish, follow, follows, giveUp, isAt, ordersOf,
} from '../lib/ordering.mjs';
import { startProvider } from '../lib/provider.mjs';
import { HANG_MS, startServer } from '../lib/server.mjs';
import { logInAdmin, stockOf } from '../lib/shop.mjs';

const HOLD_MS = 15 * 60_000;
const LOOK_MS = 6000; // the shop asks about each payment every 5 s

let provider;
let server;
let browser;
let admin;

before(async () => {
  provider = await startProvider();
  server = await startServer({ clock: true, settings: { public_url: SHOP_URL, test_provider_url: provider.url } });
  admin = await logInAdmin(server);
  browser = await startBrowser(server.port);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await provider?.close();
});

/* A customer at the checkout, with a plate of a dish of which there are ten. */
async function begin(t) {
  for (const kind of ['create', 'look', 'cancel']) provider.set(kind, 'answer');
  provider.tells = null;
  const begun = await customerWithDish(t, { server, admin, browser }, { stock: 10 });
  begun.page.elsewhere = `${provider.url}/checkout/`;
  await checkOut(begun.page, begun.dish);
  return begun;
}

const pending = async (customer) => (await customer.get('/api/cart')).body.pending_payment;
const atProvider = (page) => page.waitForURL(`${provider.url}/checkout/*`);

async function goToProvider(page) {
  await button(page, 'Pay ₦1,000').click();
  await atProvider(page);
  await heading(page, 'Pay 100000 NGN').waitFor();
}

async function payThere(page) {
  await button(page, 'Pay').click();
  await arriveAtPayment(server, page);
}

/* There and back without paying; the payment that waits. */
async function comeBackUnpaid(page, customer) {
  await goToProvider(page);
  const payment = await pending(customer);
  await link(page, 'Back to the shop').click();
  await arriveAtPayment(server, page);
  return payment;
}

/* The shop asks the service by itself, and has stored what it said. */
function looked(id, status) {
  server.clock.advance(LOOK_MS);
  return server.waitFor(() => server.log.find((line) => line.event === 'payment_reconciled'
    && line.payment_id === id && line.status === status), HANG_MS, `${id} ${status}`);
}

test('paid there, and told at once: back in the shop the order is there', async (t) => {
  const { customer, dish, page } = await begin(t);

  provider.tells = server.port;
  await goToProvider(page);
  await payThere(page);
  await follow(page);
  await follows(page, 'Ordered');
  assert.deepEqual((await ordersOf(customer)).map(({ total }) => total), [100000]);
  assert.equal(await stockOf(admin, dish), 9);
  assertQuiet(page);
});

test('paid there, and the word of it takes its time: nobody is asked to pay twice', async (t) => {
  const { customer, page } = await begin(t);

  await goToProvider(page);
  const { id } = await pending(customer);
  await payThere(page);
  await page.getByText('Paid already? Then do not pay again').waitFor();
  assert.equal(await button(page, /^Pay|^Decline/).count(), 0, 'it is paid at the service alone');
  await assertFits(page);
  await looked(id, 'paid');
  await follow(page);
  assert.equal((await ordersOf(customer)).length, 1);
  assertQuiet(page);
});

test('left there without paying: the shop leads back to it, from the cart and from the checkout', async (t) => {
  const { customer, dish, page } = await begin(t);

  await goToProvider(page);
  await page.goBack();
  await page.waitForURL(isAt('/checkout'));
  await page.getByText('You have already begun to pay').waitFor();
  await button(page, 'Go on paying').click();
  await atProvider(page);
  await link(page, 'Back to the shop').click();
  await arriveAtPayment(server, page);
  await link(page, /^Go on to pay ₦1,000/).click();
  await atProvider(page);
  await page.goto('/cart');
  await page.getByText('waits for its payment').waitFor();
  await heading(page, dish.name).waitFor();
  await link(page, 'Go on paying').click();
  await atProvider(page);
  assert.equal(provider.of((await pending(customer)).id).creations, 1);
  assertQuiet(page);
});

test('declined there: nothing is ordered, and another try is a payment of its own', async (t) => {
  const { customer, dish, page } = await begin(t);

  provider.tells = server.port;
  await goToProvider(page);
  await button(page, 'Decline').click();
  await arriveAtPayment(server, page);
  await page.getByText('The payment was declined. No money was taken').waitFor();
  assert.equal(await stockOf(admin, dish), 10);
  await link(page, 'Try again').click();
  await goToProvider(page);
  await payThere(page);
  await follow(page);
  assert.equal((await ordersOf(customer)).length, 1);
  assertQuiet(page);
});

test('given up while the service is away: it is said, the cart stays, and it can be paid for anew', async (t) => {
  const { customer, dish, page } = await begin(t);

  provider.set('cancel', 'down');
  const { id } = await comeBackUnpaid(page, customer);
  const payment = await giveUp(page);
  await heading(page, dish.name).waitFor();
  await page.goto(payment);
  await page.getByText('This payment is being ended: it was given up').waitFor();
  provider.set('cancel', 'answer');
  await looked(id, 'cancelled');
  await page.reload();
  await page.getByText('This payment was given up').waitFor();
  await link(page, 'Try again').click();
  await goToProvider(page);
  assert.notEqual((await pending(customer)).id, id);
  assertQuiet(page);
});

test('given up and paid all the same: the order is made of it', async (t) => {
  const { customer, page } = await begin(t);

  provider.set('cancel', 'paid');
  const { id } = await comeBackUnpaid(page, customer);
  const payment = await giveUp(page);
  await looked(id, 'paid');
  await page.goto(payment);
  await follow(page);
  assert.equal((await ordersOf(customer)).length, 1);
  assertQuiet(page);
});

test('the time is over before it is paid there: that is said', async (t) => {
  const { customer, dish, page } = await begin(t);

  const { id } = await comeBackUnpaid(page, customer);
  server.clock.advance(HOLD_MS);
  await looked(id, 'expired');
  await page.getByText('The time to pay is over. Nothing was ordered').waitFor();
  assert.equal(await stockOf(admin, dish), 10);
  await link(page, 'Try again').click();
  await button(page, 'Pay ₦1,000').waitFor();
  assertQuiet(page);
});

test('the service gives no answer: the order waits, is asked for again, and goes on by itself', async (t) => {
  const { customer, page } = await begin(t);

  provider.set('create', 'down');
  await button(page, 'Pay ₦1,000').click();
  await page.getByText('The payment service gives no answer. Your order is kept').waitFor();
  await assertFits(page);
  const { id } = await pending(customer);
  // Another tab shows what waits, and offers no page that is not there.
  const second = await tab(page.context());
  await second.goto('/cart');
  await second.getByText('waits for its payment').waitFor();
  assert.equal(await link(second, 'Go on paying').count(), 0);
  provider.set('create', 'answer');
  await atProvider(page);
  assert.equal((await pending(customer)).id, id);
  assertQuiet(page, second);
});

test('a slow service, asked from two tabs: the second waits with the first, and it is one payment', async (t) => {
  const { customer, page } = await begin(t);
  const second = Object.assign(await tab(page.context()), { elsewhere: page.elsewhere });
  const before = provider.count('create');

  await second.goto('/checkout');
  await second.getByLabel('Pick it up').check();
  provider.set('create', 'hold');
  await button(page, 'Pay ₦1,000').click();
  await provider.waitFor(() => provider.count('create') > before, 'the creation');
  await button(second, 'Pay ₦1,000').click();
  await second.getByText('Your payment is being prepared').waitFor();
  provider.release();
  await atProvider(page);
  await atProvider(second);
  assert.equal(page.url(), second.url());
  assert.equal(provider.of((await pending(customer)).id).creations, 1);
  assertQuiet(page, second);
});

test('the service refuses: that is said once, and the shop does not ask on and on', async (t) => {
  const { customer, dish, page } = await begin(t);
  const before = provider.count('create');

  provider.set('create', 'refuse');
  await button(page, 'Pay ₦1,000').click();
  await page.getByText('The payment service did not take this payment. Nothing was paid or ordered').waitFor();
  await button(page, 'Pay ₦1,000').waitFor();
  assert.equal(provider.count('create') - before, 1);
  assert.equal(await pending(customer), null);
  assert.equal(await stockOf(admin, dish), 10);
  provider.set('create', 'answer');
  await goToProvider(page);
  assertQuiet(page);
});

test('paid at once, by money that the service keeps for the customer: the order', async (t) => {
  const { customer, page } = await begin(t);

  provider.set('create', 'paid');
  await button(page, 'Pay ₦1,000').click();
  await page.waitForURL('**/orders/*');
  await follows(page, 'Ordered');
  assert.equal((await ordersOf(customer)).length, 1);
  assertQuiet(page);
});
