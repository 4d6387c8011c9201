// The web pages in a real browser, as people use them: a customer on a phone, an admin at a desk.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { ADMIN, startServer } from '../lib/server.mjs';

// A host that browsers trust without https, as they do 127.0.0.1 itself.
const PUBLIC_URL = 'http://shop.localhost';
const PHONE = { width: 360, height: 740 };
const DESK = { width: 1440, height: 900 };
const TIMEOUT_MS = 15000;
const PASSWORD = 'correct horse battery';

let server;
let browser;

before(async () => {
  server = await startServer({ settings: { public_url: PUBLIC_URL } });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
      `--host-resolver-rules=MAP ${new URL(PUBLIC_URL).host}:80 127.0.0.1:${server.port}`],
  });
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/* Somebody with a browser of his own. What its console complains about, refused calls apart, is a
 * mistake of the pages: the content security policy speaks up there. */
async function visitor(t, viewport) {
  const context = await browser.newContext({ viewport, locale: 'en-GB', serviceWorkers: 'block' });
  const page = await context.newPage();
  const complaints = [];
  page.setDefaultTimeout(TIMEOUT_MS);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  t.after(() => context.close());
  return Object.assign(page, { complaints });
}

async function assertFits(page) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${page.url()} is ${wide} px wider than the screen`);
}

const button = (page, name) => page.getByRole('button', { name, exact: typeof name === 'string' });
const link = (page, name) => page.getByRole('link', { name, exact: typeof name === 'string' });
const heading = (page, name) => page.getByRole('heading', { name, exact: true });

/* The mail as demo's mail page has it. It is sent after the call was answered, so it is looked for
 * until it is there. */
async function mailed(to, pattern) {
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const { items } = await (await fetch(`http://127.0.0.1:${server.port}/dev/mail.json`)).json();
    const found = items.filter((mail) => mail.to === to).map((mail) => mail.text.match(pattern))
      .find(Boolean);
    if (found) {
      server.secrets.add(found[1]);
      return found[1];
    }
    assert.ok(Date.now() < deadline, `no mail to ${to} with ${pattern}`);
  }
}

async function signUp(page, email) {
  await heading(page, 'Create an account').waitFor();
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Name (optional)').fill('Ada <b>Obi</b>');
  await page.getByLabel('Password').fill(PASSWORD);
  server.secrets.add(PASSWORD);
  await assertFits(page);
  await button(page, 'Send me the code').click();
  await heading(page, 'Enter the code').waitFor();
  await page.getByLabel('Code', { exact: true }).fill(await mailed(email, /^(\d{6})$/m));
  await button(page, 'Confirm').click();
  await link(page, 'Account').waitFor();
}

async function logIn(page, identifier, password) {
  await heading(page, 'Log in').waitFor();
  await page.getByLabel('Email or phone').fill(identifier);
  await page.getByLabel('Password').fill(password);
  await button(page, 'Log in').click();
}

/* The step of the order's track that is the present one. */
async function follows(page, status) {
  await page.locator('[aria-current=step]', { hasText: status }).waitFor();
}

test('from sign-up to a completed order, followed live', async (t) => {
  const customer = await visitor(t, PHONE);
  const admin = await visitor(t, DESK);

  await customer.goto(PUBLIC_URL);
  const add = button(customer, /^Add /).first();
  const dish = (await add.getAttribute('aria-label')).replace('Add ', '');
  await add.click();
  await heading(customer, 'Log in').waitFor();
  await link(customer, 'Create an account').click();
  await signUp(customer, 'ada@example.org');

  // The dish that was wanted before the sign-up is in the cart; one more.
  await customer.getByText(/^1 dish ·/).waitFor();
  await button(customer, `One more ${dish}`).click();
  await customer.getByText(/^2 dishes ·/).waitFor();
  await assertFits(customer);
  await link(customer, /View cart/).click();
  await customer.getByLabel('Deliver it').check();
  await customer.getByLabel('Address').fill('12 Palm Street');
  await customer.getByLabel(/^Note/).fill('<img src=x onerror=alert(1)> no onions');
  await assertFits(customer);
  await button(customer, /^Place the order/).click();

  await customer.waitForURL(`${PUBLIC_URL}/pay/**`);
  server.secrets.add(new URL(customer.url()).hash.slice(1));
  await assertFits(customer);
  await button(customer, /^Pay /).click();
  await link(customer, 'See your order').click();
  await follows(customer, 'Ordered');
  await customer.getByText('this page follows your order').waitFor();
  await assertFits(customer);
  await customer.evaluate(() => { window.sameVisit = true; });

  await admin.goto(`${PUBLIC_URL}/#/board`);
  await logIn(admin, ADMIN.email, ADMIN.password);
  const ticket = admin.locator('[data-order]');
  await ticket.getByText('<img src=x onerror=alert(1)> no onions', { exact: true }).waitFor();
  await ticket.getByText('Ada <b>Obi</b>').waitFor();
  for (const [step, status] of [['Confirm', 'Confirmed'], ['Start preparing', 'Preparing'],
    ['Mark ready', 'Ready'], ['Send out', 'On its way'], ['Delivered', 'Completed']]) {
    await button(ticket, step).click();
    await follows(customer, status);
  }
  await ticket.waitFor({ state: 'detached' });

  assert.equal(await customer.evaluate(() => window.sameVisit), true, 'the page was not reloaded');
  assert.equal(await customer.evaluate(() => document.cookie), '', 'the session is not for scripts');
  assert.equal(await customer.evaluate(() => localStorage.length), 0);
  await link(customer, 'All your orders').click();
  await customer.getByRole('listitem').filter({ hasText: 'Completed' }).waitFor();
  await assertFits(customer);
  assert.deepEqual(customer.complaints, []);
  assert.deepEqual(admin.complaints, []);
});

test('a declined payment keeps the cart; a forgotten password is replaced', async (t) => {
  const page = await visitor(t, PHONE);
  const email = 'bola@example.org';

  await page.goto(`${PUBLIC_URL}/#/signup`);
  await signUp(page, email);
  await button(page, /^Add /).first().click();
  await link(page, /View cart/).click();
  await button(page, /^Place the order/).click();
  await button(page, 'Decline').click();
  await page.getByText('The payment was declined').waitFor();
  await link(page, 'Back to the cart').click();
  await button(page, /^Place the order/).waitFor();

  // A payment left open waits in the cart and can be given up.
  await button(page, /^Place the order/).click();
  await button(page, 'Decline').waitFor();
  await link(page, 'Back to the cart').click();
  await link(page, 'Go on paying').waitFor();
  await button(page, 'Give it up').click();
  await link(page, 'Go on paying').waitFor({ state: 'detached' });

  await link(page, 'Account').click();
  await button(page, 'Log out').click();
  await link(page, 'Log in').click();
  await logIn(page, email, 'a wrong password');
  await page.getByText('Wrong email, phone or password').waitFor();
  await link(page, 'Forgotten your password?').click();
  await page.getByLabel('Email').fill(email);
  await button(page, 'Send me a link').click();
  await page.goto(await mailed(email, /(http\S+reset#token=\S+)/));
  await page.getByLabel('New password').fill('another good one');
  await assertFits(page);
  await button(page, 'Save the new password').click();
  await link(page, 'Log in').click();
  await logIn(page, email, 'another good one');
  await link(page, /View cart/).waitFor();
  assert.deepEqual(page.complaints, []);
});

test('somebody who is no admin sees no board', async (t) => {
  const page = await visitor(t, DESK);

  await page.goto(`${PUBLIC_URL}/#/signup`);
  await signUp(page, 'chidi@example.org');
  assert.equal(await link(page, 'Board').count(), 0);
  await page.goto(`${PUBLIC_URL}/#/board`);
  await page.getByText('Only an admin may do this.').waitFor();
  assert.deepEqual(page.complaints, []);
});
