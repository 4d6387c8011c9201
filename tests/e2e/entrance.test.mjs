// Signing up and logging in, and all that can go wrong there. The clock is the test's: codes get old.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  SHOP_URL, assertFits, assertQuiet, button, heading, link, logInAt, sessionOf, startBrowser, tab, visitor,
} from '../lib/browser.mjs';
import { Client } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';
import { PASSWORD, logInAdmin, signUp, unique } from '../lib/shop.mjs';

const MINUTE_MS = 60_000;
const LOGIN_FAILURES_MAX = 10; // a minute

let server;
let browser;

before(async () => {
  server = await startServer({ clock: true, settings: { public_url: SHOP_URL, io_threads: 1 } }); // each has a Date
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

/* What this tab keeps of its sign-up: another one of the same customer would send the same. */
const tokenOf = (page) => page.evaluate(() => JSON.parse(sessionStorage.getItem('servery.signup')).signup_token);

test('a code that was asked for elsewhere a moment ago: nobody is told to wait without a word', async (t) => {
  const page = await visitor(t, browser);
  const email = `${unique()}@example.org`;

  await page.goto('/signup');
  await ask(page, email);
  await link(page, 'Wrong address?').click();
  await ask(page, email);
  await page.getByText(/^A code is on its way to this address already\. Try again in \d+ seconds\.$/).waitFor();
  await assertFits(page);
  await link(page, 'Enter that code').click();
  await pass(page, MINUTE_MS + 1000);
  await new Client(server).post('/api/resend-otp', { signup_token: await tokenOf(page) }, { expect: 200 });
  await button(page, 'Mail me a new code').click();
  await page.getByText(/^A code is on its way to this address already/).waitFor();
  await button(page, /^New code in \d:\d\d$/).waitFor();
  await code(page).fill(await server.otp(email, 2));
  await page.waitForURL((url) => url.pathname === '/');
  assertQuiet(page);
});

test('a code that dies while it is typed: tried wrongly elsewhere, too old, a day later', async (t) => {
  const page = await visitor(t, browser);
  const email = `${unique()}@example.org`;

  await page.goto('/signup');
  await ask(page, email);
  await heading(page, 'Enter the code').waitFor();
  const first = await server.otp(email);
  const token = await tokenOf(page);
  for (let i = 0; i < 5; i++)
    await new Client(server).post('/api/verify-otp', { signup_token: token, otp: wrong(first) }, { expect: 'any' });
  await code(page).fill(first);
  await page.getByText('Five wrong tries: this code no longer works. What you filled in is kept.').waitFor();
  await pass(page, MINUTE_MS + 1000);
  await button(page, 'Mail me a new code').click();
  const second = await server.otp(email, 2);
  await code(page).waitFor();
  server.clock.advance(5 * MINUTE_MS);
  await code(page).fill(second);
  await page.getByText('This code is too old now. What you filled in is kept.').waitFor();
  await pass(page, 24 * 60 * MINUTE_MS);
  await button(page, 'Mail me a new code').click();
  await page.getByText('No sign-up is waiting for a code here.').waitFor();
  await link(page, 'Create an account').click();
  await heading(page, 'Create an account').waitFor();
  assert.equal(await page.getByLabel('Email').inputValue(), email);
  assertQuiet(page);
});

test('email and phone that become somebody else’s while the code is on its way', async (t) => {
  const page = await visitor(t, browser);
  const [email, phone] = [`${unique()}@example.org`, '+2348055556666'];

  await page.goto('/signup');
  await ask(page, email, { 'Phone (optional)': phone });
  await heading(page, 'Enter the code').waitFor();
  await signUp(server, { phone });
  await code(page).fill(await server.otp(email));
  await page.getByText('Your phone number belongs to another account by now.').waitFor();
  await link(page, 'Change the number').click();
  assert.equal(await page.getByLabel('Email').inputValue(), email);
  server.clock.advance(MINUTE_MS + 1000);
  await ask(page, email, { 'Phone (optional)': '' });
  await heading(page, 'Enter the code').waitFor();
  server.clock.advance(MINUTE_MS + 1000);
  await signUp(server, { email });
  await code(page).fill(await server.otp(email, 2));
  await page.getByText('This address has an account by now.').waitFor();
  await link(page, 'Log in').last().click();
  await logInAt(page, email, PASSWORD);
  await page.waitForURL((url) => url.pathname === '/');
  assertQuiet(page);
});

test('too many wrong passwords: the right one has to wait, and then it works', async (t) => {
  const customer = await signUp(server);
  const page = await visitor(t, browser);

  for (let i = 0; i < LOGIN_FAILURES_MAX; i++)
    await new Client(server).post('/api/login', { identifier: customer.user.email, password: 'not it' }, { expect: 401 });
  await page.goto('/login');
  await logInAt(page, customer.user.email, PASSWORD);
  await page.getByText(/^Too many wrong passwords\. Try again in \d+ seconds\.$/).waitFor();
  server.clock.advance(MINUTE_MS + 1000);
  await button(page, 'Log in').click();
  await page.waitForURL((url) => url.pathname === '/');
  assertQuiet(page);
});

test('a link for a new password that was used, is too old, or is not whole', async (t) => {
  const customer = await signUp(server);
  const { email } = customer.user;
  const page = await visitor(t, browser);
  const linkOf = async (nth) => (await server.mail(email, /(http\S+reset#token=\S+)/, nth))[1];
  const choose = async () => {
    await page.getByLabel('New password', { exact: true }).fill('a brand new one');
    await button(page, 'Save the new password').click();
  };

  server.secrets.add('a brand new one');
  await new Client(server).post('/api/password-reset', { email }, { expect: 202 });
  const used = await linkOf(1);
  server.secrets.add(used.split('token=')[1]);
  await page.goto(used);
  await choose();
  await page.getByText('Your password is changed. Log in with the new one.').waitFor();
  await page.goto(used);
  await choose();
  await page.getByText('This link was used already, or is older than 30 minutes.').waitFor();
  await link(page, 'Ask for a new link').click();
  server.clock.advance(MINUTE_MS + 1000);
  await page.getByLabel('Email').fill(email);
  await button(page, 'Mail me a link').click();
  const old = await linkOf(2);
  server.secrets.add(old.split('token=')[1]);
  server.clock.advance(31 * MINUTE_MS);
  await page.goto(old);
  await choose();
  await page.getByText('This link was used already, or is older than 30 minutes.').waitFor();
  await page.goto(old.split('#')[0]);
  await page.getByText('This link is not whole.').waitFor();
  assertQuiet(page);
});

test('the account’s own details: a phone that is none, or somebody else’s; the local form is understood', async (t) => {
  await signUp(server, { phone: '+2348077778888' });
  const page = await visitor(t, browser, sessionOf(await signUp(server)));
  const phone = page.getByLabel('Phone');

  await page.goto('/account');
  await phone.fill('12');
  await button(page, 'Save').click();
  await page.locator('input[name=phone][aria-invalid=true]').waitFor();
  await phone.fill('0807 777 8888');
  await button(page, 'Save').click();
  await page.getByText('This phone number belongs to another account.').waitFor();
  assert.equal(await phone.inputValue(), '0807 777 8888');
  await phone.fill('0807 777 9999');
  await button(page, 'Save').click();
  await page.getByText('Saved.').waitFor();
  assert.equal(await phone.inputValue(), '+2348077779999');
  assertQuiet(page);
});

test('an address that asks too often: it is said, and what was typed stays', async (t) => {
  const own = await startServer({ settings: { public_url: SHOP_URL, auth_rate_per_minute: 1 } });
  const its = await startBrowser(own.port);
  t.after(async () => {
    await its.close();
    await own.stop();
  });
  const page = await visitor(t, its);
  const email = `${unique()}@example.org`;
  const anyone = new Client(own);

  await page.goto('/signup');
  for (let status = 0; status !== 429;)
    ({ status } = await anyone.post('/api/password-reset', { email: 'nobody@example.org' }, { expect: 'any' }));
  await ask(page, email);
  await page.getByText(/^Too many requests from this address\. Try again in \d+ seconds?\.$/).waitFor();
  assert.equal(await page.getByLabel('Email').inputValue(), email);
  assertQuiet(page);
});
