// The pages in a real browser: visitors with a browser of their own, and what no page may ever do.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as chromeLauncher from 'chrome-launcher';
import lighthouse from 'lighthouse';
import { chromium } from 'playwright-core';
import { ADMIN, HANG_MS } from './server.mjs';

/* A host that browsers trust without https, as they do 127.0.0.1 itself. Its port stays the same when
 * the server comes back on another one. */
export const SHOP_URL = 'http://shop.localhost';

export const PHONE = { width: 360, height: 740 };
export const TABLET = { width: 768, height: 1024 };
export const DESK = { width: 1440, height: 900 };

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const argsFor = (port) =>
  [...ARGS, `--host-resolver-rules=MAP ${new URL(SHOP_URL).host}:80 127.0.0.1:${port}`];

/* A browser that finds the shop at SHOP_URL on this port. */
export function startBrowser(port) {
  return chromium.launch({ executablePath: EXECUTABLE, args: argsFor(port) });
}

/* The options of a visitor who is logged in from the beginning, by the session of this client. */
export const sessionOf = ({ token }) => ({
  storageState: {
    cookies: [{ name: 'servery_session', value: token, domain: new URL(SHOP_URL).host, path: '/', expires: -1,
      httpOnly: true, secure: false, sameSite: 'Lax' }],
    origins: [{ origin: SHOP_URL, localStorage: [{ name: 'servery.known', value: '1' }] }],
  },
});

/* Lighthouse's report on one page, as a phone sees it, in a browser of its own. */
export async function lighthouseOf(port, path, categories) {
  const browser = await chromeLauncher.launch({
    chromePath: EXECUTABLE, chromeFlags: ['--headless=new', ...argsFor(port)], logLevel: 'silent' });
  try {
    const { lhr } = await lighthouse(SHOP_URL + path, {
      port: browser.port, logLevel: 'error', output: 'json', onlyCategories: categories });
    return lhr;
  } finally {
    await browser.kill();
  }
}

/* Somebody with a browser of his own. `complaints` is what its console says, refused calls apart: a
 * mistake of the pages, and where the content security policy speaks up. `asked` is every address. */
export async function visitor(t, browser, options = {}) {
  const context = await browser.newContext({
    viewport: PHONE, locale: 'en-GB', serviceWorkers: 'block', baseURL: SHOP_URL, ...options });
  t.after(() => context.close());
  return tab(context);
}

/* One more tab of the same browser. */
export async function tab(context) {
  const page = await context.newPage();
  const complaints = [];
  const asked = [];
  page.setDefaultTimeout(HANG_MS);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())
      && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  page.on('request', (request) => asked.push(request.url()));
  return Object.assign(page, { complaints, asked });
}

export const button = (page, name) =>
  page.getByRole('button', { name, exact: typeof name === 'string' });
export const link = (page, name) => page.getByRole('link', { name, exact: typeof name === 'string' });
export const heading = (page, name) =>
  page.getByRole('heading', { name, exact: typeof name === 'string' });

export async function logInAt(page, identifier = ADMIN.email, password = ADMIN.password) {
  await heading(page, 'Log in').waitFor();
  await page.getByLabel('Email or phone').fill(identifier);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await button(page, 'Log in').click();
}

/* Nothing sticks out to the side. */
export async function assertFits(page, what = page.url()) {
  const wide = await page.evaluate(() => {
    const over = document.documentElement.scrollWidth - innerWidth;
    const culprit = [...document.querySelectorAll('body *')].find(
      (node) => node.getBoundingClientRect().right > innerWidth + 1);
    return over > 0 ? `${over} px, such as ${culprit?.outerHTML.slice(0, 200)}` : '';
  });
  assert.equal(wide, '', `${what} is wider than the screen`);
}

/* What axe finds, as words: rule, what it is about, where. */
export async function axe(page) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, {
    resultTypes: ['violations'] }));
  return violations.flatMap(({ id, help, nodes }) => nodes.map(
    ({ target, failureSummary }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary}`));
}

/* No page complains, and none asks anybody but the shop (and, where that was opened, the page of a payment
 * provider). */
export function assertQuiet(...pages) {
  for (const page of pages) {
    assert.deepEqual(page.complaints, []);
    for (const url of page.asked)
      assert.ok([`${SHOP_URL}/`, page.elsewhere, 'data:', 'blob:'].some((start) => start && url.startsWith(start)),
        `asked ${url}`);
  }
}
