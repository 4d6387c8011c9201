// Signing up and logging in, and all that can go wrong there. The clock is the test's: codes get old.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  SHOP_URL, assertQuiet, button, heading, link, logInAt, startBrowser, tab, visitor,
} from '../lib/browser.mjs';
import { Client } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';
import { PASSWORD, logInAdmin, signUp, unique } from '../lib/shop.mjs';

const MINUTE_MS = 60_000;

let server;
let browser;

before(async () => {
  server = await startServer({ clock: true, settings: { public_url: SHOP_URL } });
  browser = await startBrowser(server.port);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

async function ask(page, email, members = {}) {
  await heading(page, 'Create an account').waitFor();
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  for (const [label, text] of Object.entries(members)) await page.getByLabel(label).fill(text);
  server.secrets.add(PASSWORD);
  await button(page, 'Mail me the code').click();
}

const code = (page) => page.getByLabel('Code', { exact: true });
const wrong = (right) => (right === '000000' ? '000001' : '000000');

/* Time goes by. The page learns of it from the Date of an answer, which the server writes anew once a
 * second. */
async function pass(page, ms) {
  server.clock.advance(ms);
  for (let date = 0; date < server.clock.now() - 2000;)
    date = Date.parse((await new Client(server).get('/api/shop')).headers.date);
  await page.reload();
  await heading(page, 'Enter the code').waitFor();
}

test('a wrong code says how many tries are left; after five a new one is needed, and it works', async (t) => {
  const page = await visitor(t, browser);
  const email = `${unique()}@example.org`;

  await page.goto('/signup');
  await ask(page, email);
  await heading(page, 'Enter the code').waitFor();
  assert.equal(await button(page, /^New code in \d:\d\d$/).isDisabled(), true);
  const first = await server.otp(email);
  for (let left = 4; left >= 1; left--) {
    await code(page).fill(wrong(first));
    await page.getByText(`${left} ${left === 1 ? 'try' : 'tries'} left.`).waitFor();
    await page.waitForFunction(() => document.querySelector('input[name=otp]').value === '');
  }
  await code(page).fill(wrong(first));
  await page.getByText('Five wrong tries: this code no longer works.').waitFor();
  await pass(page, MINUTE_MS + 1000);
  await button(page, 'Mail me a new code').click();
  await page.getByText('A new code is on its way').waitFor();
  const second = await server.otp(email, 2);
  await code(page).fill(`${second.slice(0, 3)} ${second.slice(3)}`); // as people copy it
  await page.waitForURL((url) => url.pathname === '/');
  await link(page, 'Account').waitFor();
  assertQuiet(page);
});

test('a code that has become too old is replaced in one tap', async (t) => {
  const page = await visitor(t, browser);
  const email = `${unique()}@example.org`;

  await page.goto('/signup');
  await ask(page, email);
  await heading(page, 'Enter the code').waitFor();
  await server.otp(email);
  await pass(page, 5 * MINUTE_MS + 1000);
  await page.getByText('This code is too old now.').waitFor();
  await button(page, 'Mail me a new code').click();
  await code(page).fill(await server.otp(email, 2));
  await page.waitForURL((url) => url.pathname === '/');
  assertQuiet(page);
});

test('each refused field is named where it is, and what was typed stays', async (t) => {
  const known = await signUp(server, { phone: '+2348098765432' });
  const page = await visitor(t, browser);

  await page.goto('/signup?next=/checkout');
  await ask(page, known.user.email);
  await page.getByText('This address already has an account.').waitFor();
  await page.getByLabel('Email').fill(`${unique()}@example.org`);
  await page.getByLabel('Phone (optional)').fill('0809 876 5432');
  await button(page, 'Mail me the code').click();
  await page.getByText('This phone number already has an account').waitFor();
  await page.getByLabel('Phone (optional)').fill('12');
  await button(page, 'I have a friend’s code').click();
  await page.getByLabel('A friend’s code (optional)').fill('ABCDEFGH');
  await button(page, 'Mail me the code').click();
  await page.locator('[aria-invalid=true]').first().waitFor();
  await page.getByLabel('Phone (optional)').fill('');
  await button(page, 'Mail me the code').click();
  await page.getByText('There is no such code.').waitFor();
  await page.getByLabel('Password', { exact: true }).fill('short');
  await button(page, 'Mail me the code').click();
  await page.locator('input[name=password][aria-invalid=true]').waitFor();
  assertQuiet(page);
});

test('logging in by phone; unverified, disabled and wrong are told apart; the way back is kept', async (t) => {
  const customer = await signUp(server, { phone: '+2348011112222' });
  const pending = `${unique()}@example.org`;
  await new Client(server).post('/api/signup', { email: pending, password: PASSWORD }, { expect: 201 });
  const page = await visitor(t, browser);

  await page.goto('/orders');
  await page.getByText('Log in to see your orders.').waitFor();
  await logInAt(page, pending, PASSWORD);
  await page.getByText('This account waits for the code').waitFor();
  await logInAt(page, customer.user.email, 'not the password');
  await page.getByText('Wrong email, phone or password').waitFor();
  await logInAt(page, '0801 111 2222', PASSWORD);
  await page.waitForURL('**/orders');
  await heading(page, 'Your orders').waitFor();

  const admin = await logInAdmin(server);
  await admin.put(`/api/admin/users/${customer.user.id}`, { disabled: true });
  await page.goto('/account');
  await heading(page, 'Log in').waitFor();
  await logInAt(page, customer.user.email, PASSWORD);
  await page.getByText('This account is closed.').waitFor();
  assertQuiet(page);
});

test('a friend’s link counts, and a log-in in one tab is one in all', async (t) => {
  const friend = await signUp(server);
  const page = await visitor(t, browser);
  const second = await tab(page.context());
  const email = `${unique()}@example.org`;

  await second.goto('/');
  await link(second, 'Log in').waitFor();
  await page.goto(`/signup?ref=${friend.user.referral_code}`);
  await ask(page, email, { 'Name (optional)': 'Newcomer' });
  await code(page).fill(await server.otp(email));
  await page.waitForURL((url) => url.pathname === '/');
  await link(second, 'Account').waitFor();
  const { body } = await friend.get('/api/me/referrals');
  assert.deepEqual([body.count, body.items[0].name], [1, 'Newcomer']);
  await link(page, 'Account').click();
  await page.getByText('Nobody has joined with it yet.').waitFor();
  assertQuiet(page, second);
});

test('a new password has to be right, and ends the other devices', async (t) => {
  const customer = await signUp(server);
  const page = await visitor(t, browser);
  await page.goto('/login?next=/account');
  await logInAt(page, customer.user.email, PASSWORD);
  await page.waitForURL('**/account');

  await page.getByText('Change the password').first().click();
  server.secrets.add('a brand new one');
  await page.getByLabel('Current password').fill('not the password');
  await page.getByLabel('New password', { exact: true }).fill('a brand new one');
  await button(page, 'Change the password').click();
  await page.locator('input[name=current_password][aria-invalid=true]').waitFor();
  await page.getByLabel('Current password').fill(PASSWORD);
  await button(page, 'Change the password').click();
  await page.getByText('Your password is changed. Other devices are logged out.').waitFor();
  await customer.get('/api/me', { expect: 401 });
  await page.reload();
  await heading(page, 'Your account').or(heading(page, 'Account')).first().waitFor();
  assertQuiet(page);
});
