// From a sign-up to a completed order, with a real mail server, a customer on a phone and an admin at a
// desk side by side: each sees what the other does without loading anything again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  DESK, SHOP_URL, assertFits, assertQuiet, button, heading, link, logInAt, startBrowser, visitor,
} from '../lib/browser.mjs';
import { beginToPay, checkOut, choose, follows, pay } from '../lib/ordering.mjs';
import { ADMIN, startServer } from '../lib/server.mjs';
import { PASSWORD, addFood, logInAdmin } from '../lib/shop.mjs';
import { startSmtp } from '../lib/smtp.mjs';

const MARKUP = '<img src=x onerror=alert(1)> no onions';

const JOLLOF = { name: 'Jollof rice', category: 'Rice', price: 250000 };
const SUYA = { name: 'Beef suya', category: 'Grill', price: 200000, stock: 9 };

let server;
let smtp;
let browser;

before(async () => {
  smtp = await startSmtp({});
  server = await startServer({
    mode: 'serve',
    settings: {
      public_url: SHOP_URL, mail: smtp.url, mail_from: 'shop@example.org', payment: 'test',
      allow_test_payments: 'yes',
    },
  });
  await server.makeAdmin();
  const admin = await logInAdmin(server);
  await addFood(admin, JOLLOF);
  await addFood(admin, SUYA);
  browser = await startBrowser(server.port);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await smtp?.close();
});

async function mailed(to, pattern) {
  const fits = (mail) => mail.envelope.to.includes(to) && pattern.test(mail.text);
  const [, found] = (await smtp.waitFor(fits)).text.match(pattern);
  server.secrets.add(found);
  return found;
}

/* From the page of the sign-up to wherever it leads. */
async function signUp(page, email) {
  await heading(page, 'Create an account').waitFor();
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  server.secrets.add(PASSWORD);
  await page.getByLabel('Name (optional)').fill('Ada <b>Obi</b>');
  await assertFits(page);
  await button(page, 'Mail me the code').click();
  await heading(page, 'Enter the code').waitFor();
  // Pasted as it stands in the mail; complete, it is sent by itself.
  await page.getByLabel('Code', { exact: true }).fill(await mailed(email, /^(\d{6})$/m));
  await page.waitForURL((url) => url.pathname !== '/verify');
}

test('from sign-up to a completed order, followed live', async (t) => {
  const customer = await visitor(t, browser);
  const admin = await visitor(t, browser, { viewport: DESK });

  await admin.goto('/admin');
  await logInAt(admin, ADMIN.email, ADMIN.password);
  await heading(admin, 'Board').waitFor();

  await choose(customer, JOLLOF, SUYA);
  await button(customer, 'One more Jollof rice').click();
  await assertFits(customer);
  await link(customer, /^Check out/).click();
  await link(customer, 'Create an account').click();
  await signUp(customer, 'ada@example.org');

  // What was chosen before is there, and so is the way back.
  await customer.waitForURL('**/checkout');
  await customer.getByLabel('Have it delivered').check();
  await customer.getByLabel('Where to?').fill('12 Palm Street\nFlat 3');
  await customer.getByLabel(/^A note for the kitchen/).fill(MARKUP);
  await assertFits(customer);

  await beginToPay(server, customer, 'Pay ₦7,000');
  await assertFits(customer);
  await button(customer, 'Pay ₦7,000').click();
  await customer.waitForURL('**/orders/*');
  await follows(customer, 'Ordered');
  await assertFits(customer);
  await customer.evaluate(() => { window.sameVisit = true; });

  const ticket = admin.getByRole('article');
  await ticket.getByText(MARKUP).waitFor();
  await ticket.getByText('Ada <b>Obi</b>').waitFor();
  await assertFits(admin);
  await admin.waitForFunction(() => document.title.startsWith('(1)')); // a badge in the title
  for (const [step, word] of [['Confirm', 'Confirmed'], ['Start cooking', 'Preparing'],
    ['Mark ready', 'Ready'], ['Send out', 'On its way'], ['Delivered', null]]) {
    await button(ticket, new RegExp(step)).click();
    if (word) await follows(customer, word);
  }
  await ticket.waitFor({ state: 'detached' });
  await customer.getByText('Delivered. Enjoy your meal!').first().waitFor();

  assert.equal(await customer.evaluate(() => window.sameVisit), true, 'the page was not reloaded');
  assert.equal(await customer.evaluate(() => document.cookie), '', 'the session is not for scripts');
  const kept = await customer.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  for (const secret of server.secrets)
    assert.ok(secret.length < 16 || !kept.includes(secret), `${secret} is kept in the browser`);
  await link(customer, 'All your orders').click();
  await customer.getByRole('listitem').filter({ hasText: 'Completed' }).first().waitFor();
  assertQuiet(customer, admin);
});

test('an order is cancelled with a reason, and the money is owed back', async (t) => {
  const customer = await visitor(t, browser);
  const admin = await visitor(t, browser, { viewport: DESK });

  await customer.goto('/signup');
  await signUp(customer, 'bola@example.org');
  await checkOut(customer, SUYA);
  await pay(server, customer);

  await admin.goto('/admin');
  await logInAt(admin);
  await button(admin, /^Cancel order/).click();
  await admin.getByRole('textbox').fill('The charcoal is out');
  await button(admin, /^Cancel (the |this )?order/).last().click();
  await customer.getByText('The charcoal is out').first().waitFor();
  await admin.goto('/admin/payments');
  await link(admin, /^Refund/).click();
  await admin.getByText('bola@example.org').first().waitFor();
  assertQuiet(customer, admin);
});

test('a declined payment keeps the cart; a forgotten password is replaced', async (t) => {
  const page = await visitor(t, browser);
  const email = 'chidi@example.org';

  await page.goto('/signup');
  await signUp(page, email);
  await checkOut(page, JOLLOF);
  await beginToPay(server, page);
  await button(page, 'Decline').click();
  await page.getByText('The payment was declined').waitFor();
  await link(page, 'To the cart').click();
  await heading(page, 'Jollof rice').waitFor();

  await page.goto('/account');
  await button(page, /^Log out/).click();
  await page.goto('/login');
  await logInAt(page, email, 'a wrong password');
  await page.getByText('Wrong email, phone or password').waitFor();
  await link(page, 'Forgot your password?').click();
  await page.getByLabel('Email').fill(email);
  await page.locator('form [type=submit]').click();
  await page.getByText(email).waitFor();
  await page.goto(await mailed(email, /(http\S+reset#token=\S+)/));
  server.secrets.add('another good one');
  await page.getByLabel('New password', { exact: true }).fill('another good one');
  await assertFits(page);
  await page.locator('form [type=submit]').click();
  await page.waitForURL((url) => !url.hash);
  await page.goto('/login');
  await logInAt(page, email, 'another good one');
  await page.waitForURL((url) => url.pathname !== '/login');
  assertQuiet(page);
});

test('who is no admin sees no board', async (t) => {
  const page = await visitor(t, browser, { viewport: DESK });

  await page.goto('/signup');
  await signUp(page, 'dayo@example.org');
  assert.equal(await link(page, 'Kitchen').count(), 0);
  await page.goto('/admin');
  await page.getByText('Only the people who run the shop').waitFor();
  assertQuiet(page);
});
