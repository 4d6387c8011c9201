// The way of a customer in the engines of Safari (WebKit) and of Firefox: from the menu to the page of an
// order that follows the kitchen live. What is special to a page is tested in Chromium.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startFirefox, startWebKit } from '../lib/engines.mjs';
import { freePort } from '../lib/ports.mjs';
import { startServer } from '../lib/server.mjs';
import { PASSWORD, logInAdmin, move } from '../lib/shop.mjs';

let server;
let url;
let admin;

before(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`; // these browsers cannot be told where another host is
  server = await startServer({ settings: { listen: `127.0.0.1:${port}`, public_url: url } });
  admin = await logInAdmin(server);
});

after(() => server?.stop());

const named = (name) => `//*[self::button or self::a][@aria-label="${name}" or normalize-space()="${name}"]`;
const begins = (words) => `//*[self::button or self::a][starts-with(normalize-space(), "${words}")]`;
const field = (label) => `//*[@id=//label[normalize-space()="${label}"]/@for]`;
const present = (step) => `//*[@aria-current="step"][contains(., "${step}")]`;

async function choose(page) {
  await page.begin(`${url}/`);
  await page.click(named('Add Jollof rice'));
  await page.click(named('One more Jollof rice'));
  await page.click('//a[contains(., "View cart")]');
  await page.click(begins('Check out'));
}

async function signUp(page, email) {
  server.secrets.add(PASSWORD);
  await page.click(named('Create an account'));
  await page.type(field('Email'), email);
  await page.type(field('Password'), PASSWORD);
  await page.click(named('Mail me the code'));
  await page.see('//h1[.="Enter the code"]');
  await page.type(field('Code'), await server.otp(email));
}

async function pay(page) {
  await page.click('//label[contains(., "Have it delivered")]');
  await page.type(field('Where to?'), '12 Palm Street');
  await page.click(begins('Pay ₦5,000'));
  await page.until(() => location.pathname.startsWith('/pay/'));
  server.secrets.add(await page.run(() => location.hash.slice(1)));
  await page.click(begins('Pay ₦5,000'));
  await page.see(present('Ordered'));
}

for (const [engine, start] of Object.entries({ webkit: startWebKit, firefox: startFirefox }))
  test(`from the menu to an order that is followed live: ${engine}`, async (t) => {
    const { page, close } = await start();
    t.after(close);

    await choose(page);
    await signUp(page, `${engine}@example.org`);
    await pay(page);
    const id = Number((await page.run(() => location.pathname)).split('/').pop());
    await move(admin, { id }, 'confirmed');
    await page.see(present('Confirmed'));
    await move(admin, { id }, 'preparing');
    await page.see(present('Preparing'));
    assert.equal(await page.run(() => document.documentElement.scrollWidth > innerWidth), false, 'too wide');
    assert.deepEqual(await page.complaints(), [], 'it complains, or was loaded anew');
  });
