// The way from the menu to a paid order, as a customer taps it.
import { SHOP_URL, button, heading, link, sessionOf, visitor } from './browser.mjs';
import { addFood, signUp, unique } from './shop.mjs';

export const isAt = (path) => (url) => url.pathname === path;

/* A customer who is logged in, with a page, and a dish of his own. */
export async function customerWithDish(t, { server, admin, browser }, food = {}) {
  const customer = await signUp(server);
  const dish = await addFood(admin, { name: unique('Dish'), price: 100000, ...food });
  return { customer, dish, page: await visitor(t, browser, sessionOf(customer)) };
}

/* From the menu into the cart, with these dishes. */
export async function choose(page, ...dishes) {
  await page.goto('/');
  for (const { name } of dishes) await button(page, `Add ${name}`).click();
  await link(page, /View cart/).click();
  for (const { name } of dishes) await heading(page, name).waitFor();
}

/* On to the checkout, to pick it up. */
export async function checkOut(page, ...dishes) {
  await choose(page, ...dishes);
  await link(page, /^Check out/).click();
  await page.getByLabel('Pick it up').check();
}

/* From the checkout to the payment's own page. */
export async function beginToPay(server, page, label = /^Pay /) {
  await button(page, label).click();
  await arriveAtPayment(server, page);
}

export async function arriveAtPayment(server, page) {
  await page.waitForURL(`${SHOP_URL}/pay/**`);
  server.secrets.add(new URL(page.url()).hash.slice(1));
}

/* From the payment's own page back to the cart; its address. */
export async function giveUp(page) {
  const payment = page.url();
  await button(page, /^Give up this payment/).click();
  await page.waitForURL('**/cart');
  return payment;
}

/* From the checkout to the page of the order. */
export async function pay(server, page, label = /^Pay /) {
  await beginToPay(server, page, label);
  await button(page, label).click();
  await follow(page);
}

/* Once it is paid the page leads to the order by itself, after a moment; whoever taps is there at once. */
export async function follow(page) {
  await page.waitForFunction(() => {
    document.querySelector('.pay-done a')?.click();
    return location.pathname.startsWith('/orders/');
  });
}

/* Waits until this is the present step of the order's track. */
export const follows = (page, word) => page.locator('[aria-current=step]', { hasText: word }).waitFor();

export const ordersOf = async (customer) => (await customer.get('/api/orders')).body.items;
