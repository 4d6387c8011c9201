// Browsers of other engines than Chromium's, as wide as a phone: WebKit, which is Safari's, and Firefox.
// Each has its profile in a folder of its own. Their pages know elements by XPath.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { Builder, By, Capabilities } from 'selenium-webdriver';
import { waitForServer } from 'selenium-webdriver/http/util.js';
import { HANG_MS } from './server.mjs';
import { freePort } from './ports.mjs';

const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
const MINI_BROWSER = process.env.MINI_BROWSER ?? ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/webkit2gtk-4.1/MiniBrowser`).find(existsSync);
const PHONE = { width: 390, height: 800 };

// WebKit's small browser has a bar of its own that is wider than a phone.
const NARROW_BAR = `* { min-width: 0; margin: 0; padding-left: 0; padding-right: 0; font-size: 1px; }
image { -gtk-icon-transform: scale(0.1); }`;
const NO_MOTION = '[Settings]\ngtk-enable-animations=0\n';

/* Whether the element is there, in sight and not disabled. A function of the page. */
function isReady(xpath) {
  const node = document.evaluate(xpath, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue;
  node?.scrollIntoView({ block: 'center', behavior: 'instant' });
  return Boolean(node && node.getClientRects().length > 0 && !node.disabled);
}

/* A function of the page: gathers from now on what it has to complain about. */
function gather() {
  const say = (...words) => window.complaints.push(words.map(String).join(' '));
  window.complaints = [];
  Object.assign(console, { error: say, warn: say });
  addEventListener('error', ({ message }) => say(message));
  addEventListener('unhandledrejection', ({ reason }) => say(reason));
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
    say('refused', violatedDirective, blockedURI));
}

class Page {
  /* Opens an address; all that follows happens in that one document. */
  async begin(url) {
    await this.goto(url);
    await this.run(gather);
  }

  /* What the document has complained of; undefined if it is another by now. */
  complaints() { return this.run(() => window.complaints); }

  see(xpath) { return this.until(isReady, xpath); }

  async click(xpath) {
    await this.see(xpath);
    await (await this.find(xpath)).click();
  }
}

class WebKitPage extends Page {
  constructor(driver) {
    super();
    this.driver = driver;
  }

  goto(url) { return this.driver.get(url); }

  run(code, ...args) { return this.driver.executeScript(code, ...args); }

  until(code, ...args) {
    return this.driver.wait(() => this.run(code, ...args), HANG_MS, `${code} ${args}`);
  }

  find(xpath) { return this.driver.findElement(By.xpath(xpath)); }

  async type(xpath, text) {
    await this.see(xpath);
    await this.find(xpath).sendKeys(text);
  }
}

class FirefoxPage extends Page {
  constructor(page) {
    super();
    this.page = page;
  }

  goto(url) { return this.page.goto(url); }

  run(code, ...args) { return this.page.evaluate(code, ...args); }

  until(code, ...args) { return this.page.waitForFunction(code, { timeout: HANG_MS }, ...args); }

  find(xpath) { return this.page.$(`xpath/${xpath}`); }

  async type(xpath, text) {
    await this.see(xpath);
    await (await this.find(xpath)).type(text);
  }
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}

/* A screen that nobody looks at. */
async function startScreen() {
  const child = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1600x1200x24', '-nolisten', 'tcp'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const [number] = await once(child.stdio[3], 'data');
  return { child, name: `:${String(number).trim()}` };
}

/* What WebKit is told: all that it writes is in `home`. */
function settingsOf(home, screen) {
  mkdirSync(join(home, 'gtk-3.0'));
  writeFileSync(join(home, 'gtk-3.0/gtk.css'), NARROW_BAR);
  writeFileSync(join(home, 'gtk-3.0/settings.ini'), NO_MOTION);
  const folders = ['HOME', 'TMPDIR', 'XDG_RUNTIME_DIR', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME'];
  return {
    ...process.env, ...Object.fromEntries(folders.map((name) => [name, home])), DISPLAY: screen,
    GDK_BACKEND: 'x11', LC_ALL: 'C', LIBGL_ALWAYS_SOFTWARE: '1', MESA_SHADER_CACHE_DISABLE: 'true',
    NO_AT_BRIDGE: '1',
  };
}

const remove = (folder) => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });

export async function startWebKit() {
  const home = mkdtempSync(join(tmpdir(), 'servery-webkit-'));
  const screen = await startScreen();
  const port = await freePort();
  const child = spawn('WebKitWebDriver', [`--port=${port}`],
    { stdio: 'ignore', env: settingsOf(home, screen.name) });
  let driver;
  const close = async () => {
    await driver?.quit();
    await end(child);
    await end(screen.child);
    remove(home);
  };
  try {
    await waitForServer(`http://127.0.0.1:${port}`, HANG_MS);
    driver = await new Builder().usingServer(`http://127.0.0.1:${port}`).withCapabilities(new Capabilities({
      browserName: 'MiniBrowser',
      'webkitgtk:browserOptions': { binary: MINI_BROWSER, args: ['--automation'] },
    })).build();
    await driver.manage().window().setRect({ x: 0, y: 0, ...PHONE });
    return { page: new WebKitPage(driver), close };
  } catch (error) {
    await close();
    throw error;
  }
}

export async function startFirefox() {
  const home = mkdtempSync(join(tmpdir(), 'servery-firefox-'));
  const browser = await puppeteer.launch({
    browser: 'firefox', executablePath: FIREFOX, headless: true, userDataDir: home, defaultViewport: PHONE,
    timeout: HANG_MS, extraPrefsFirefox: { 'ui.prefersReducedMotion': 1 } });
  const page = await browser.newPage();
  const close = async () => {
    await browser.close();
    remove(home);
  };
  return { page: new FirefoxPage(page), close };
}
