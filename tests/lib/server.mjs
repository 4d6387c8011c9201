// The real program on 127.0.0.1 with a free port, its data in a folder of its own.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildDir, run } from './build.mjs';
import { databaseIn, dropDatabaseOf } from './database.mjs';

export const PROGRAM = 'src/app/servery';
export const PUBLIC_URL = 'http://shop.test';
export const ADMIN = { email: 'admin@example.com', password: 'servery-demo' };

/* Against a hang: what a test waits for comes much sooner, but on a busy machine nobody can say when.
 * How long something takes is never asserted by it. */
export const HANG_MS = 60000;

/* The sanitizer's library has to come before libfaketime, or it does not see that a thread which waits
 * with a deadline lets go of its mutex. */
function threadSanitizer() {
  const libraries = execFileSync('ldd', [join(buildDir, PROGRAM)], { encoding: 'utf8' });
  const found = libraries.match(/libtsan\.so\.\d+ => (\S+)/);
  return found ? [found[1]] : [];
}

/* The real program under another clock: libfaketime reads its offset from a file that the test
 * rewrites. The monotonic clock stays, so that timers run on. */
class Clock {
  constructor(dir) {
    this.file = join(dir, 'clock');
    this.offset_ms = 0;
    this.#write();
  }

  #write() {
    const seconds = (this.offset_ms / 1000).toFixed(3);
    writeFileSync(`${this.file}.new`, this.offset_ms < 0 ? seconds : `+${seconds}`);
    renameSync(`${this.file}.new`, this.file);
  }

  advance(ms) {
    this.offset_ms += ms;
    this.#write();
  }

  now() {
    return Date.now() + this.offset_ms;
  }

  environment() {
    const folder = ['/usr/lib/x86_64-linux-gnu/faketime', '/usr/lib/aarch64-linux-gnu/faketime']
      .find(existsSync);
    assert.ok(folder, 'libfaketime is not installed (Debian: faketime)');
    return {
      LD_PRELOAD: [...threadSanitizer(), join(folder, 'libfaketimeMT.so.1')].join(':'),
      FAKETIME_TIMESTAMP_FILE: this.file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`,
    };
  }
}

function flags(settings) {
  return Object.entries(settings).map(
    ([name, value]) => `--${name.replaceAll('_', '-')}=${value}`);
}

// One mail as `mail = log` writes it to standard output.
const MAIL = /^Date: .*\nFrom: .*\nTo: <(.*)>\nSubject: (.*)\n\n/m;

export class Server {
  log = [];      // the parsed lines of standard error
  /* {to, subject, text, raw}, as they left; each once. When a test puts the clock forward by more than a
   * mail's lease before it is written down that it was sent, it is sent again. */
  mails = [];
  secrets = new Set(); // what the log must never hold: passwords, codes, tokens
  #stdout = '';
  #stderr = '';
  #saidBefore = 0;
  #waiting = new Set();
  #closed;

  /* options: mode ('demo' or 'serve'), settings (names as in the configuration), clock (true: the
   * server's clock is the test's), dir (data of a former server), wrap (words before the program's
   * name; what they start must become the program). */
  constructor({ mode = 'demo', settings = {}, clock = false, dir, env = {}, wrap = [] } = {}) {
    this.mode = mode;
    this.wrap = wrap;
    this.dir = dir ?? mkdtempSync(join(tmpdir(), 'servery-test-'));
    this.clock = clock ? new Clock(this.dir) : undefined;
    this.settings = {
      listen: '127.0.0.1:0',
      public_url: PUBLIC_URL,
      database: settings.database ?? databaseIn(this.dir),
      secret_file: join(this.dir, 'servery.key'),
      auth_rate_per_minute: 0,
      ...settings,
    };
    this.env = { ...process.env, ...this.clock?.environment(), ...env };
  }

  async start() {
    this.#saidBefore = this.#stderr.length;
    const [program, ...args] = [...this.wrap, join(buildDir, PROGRAM), this.mode,
      ...flags(this.settings)];
    this.child = spawn(program, args,
      { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#closed = once(this.child, 'close');
    this.child.stdout.setEncoding('utf8').on('data', (text) => this.#readMails(text));
    createInterface({ input: this.child.stderr }).on('line', (line) => this.#readLog(line));
    const before = this.log.length; // a server that is started again has said so already
    const listening = this.waitFor(
      () => this.log.slice(before).find((line) => line.event === 'listening'), HANG_MS, 'listening');
    const ended = this.#closed.then(([code, signal]) => {
      throw new Error(`the server ended (${code ?? signal}) before it listened:\n${this.#stderr}`);
    });
    ended.catch(() => {});
    this.port = (await Promise.race([listening, ended])).port;
    return this;
  }

  #readLog(line) {
    this.#stderr += `${line}\n`;
    try {
      this.log.push(JSON.parse(line));
    } catch {
      // Sanitizers and assertions do not speak JSON: stop() shows what they said.
    }
    for (const check of this.#waiting) check();
  }

  #readMails(text) {
    this.#stdout += text;
    const starts = [...this.#stdout.matchAll(new RegExp(MAIL, 'gm'))];
    this.mails = [];
    for (const [i, match] of starts.entries()) {
      const raw = this.#stdout.slice(match.index, starts[i + 1]?.index);
      const isSame = (mail) => mail.to === match[1] &&
        (mail.raw.startsWith(raw) || raw.startsWith(mail.raw));
      if (!this.mails.some(isSame))
        this.mails.push({ to: match[1], subject: match[2], text: raw.slice(match[0].length), raw });
    }
    for (const check of this.#waiting) check();
  }

  /* Resolves with what `find` gives as soon as that is true; looked at after each line of the log
   * and each mail. */
  waitFor(find, timeoutMs, what) {
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        settle(value);
      };
      const timer = setTimeout(() => end(reject,
        new Error(`${what}: not within ${timeoutMs} ms\n${this.#stderr}`)), timeoutMs);
      const check = () => {
        const found = find();
        if (found) end(resolve, found);
      };
      this.#waiting.add(check);
      check();
    });
  }

  /* The n-th mail to this address that matches, past or to come. */
  async mail(to, pattern, nth = 1) {
    const found = await this.waitFor(
      () => this.mails.filter((mail) => mail.to === to && pattern.test(mail.text))[nth - 1],
      HANG_MS, `mail ${nth} to ${to}`);
    return found.text.match(pattern);
  }

  async otp(email, nth = 1) {
    const otp = (await this.mail(email, /^(\d{6})$/m, nth))[1];
    this.secrets.add(otp);
    return otp;
  }

  get stderr() {
    return this.#stderr;
  }

  // What it said since it was started last.
  get lastStderr() {
    return this.#stderr.slice(this.#saidBefore);
  }

  #proc(name) {
    return readFileSync(`/proc/${this.child.pid}/${name}`, 'utf8');
  }

  // What it has in memory now. A sanitizer keeps what was freed: then this says nothing.
  get residentBytes() {
    return 1024 * Number(this.#proc('status').match(/VmRSS:\s*(\d+)/)[1]);
  }

  get isSanitized() {
    return /lib[at]san/.test(this.#proc('maps'));
  }

  // The settings that say where its data are.
  get #data() {
    return Object.fromEntries(Object.entries(this.settings).filter(
      ([name]) => /^(database|database_listen|prepared_statements|secret_file)$/.test(name)));
  }

  // A command beside the server, on its data.
  command(...args) {
    return run(PROGRAM, [...args, ...flags(this.#data)],
      { env: { ...process.env, ...this.clock?.environment() } });
  }

  async makeAdmin(email = ADMIN.email, password = ADMIN.password) {
    this.secrets.add(password);
    const child = spawn(join(buildDir, PROGRAM),
      ['admin', 'create', email, ...flags(this.#data)],
      { env: this.env, stdio: ['pipe', 'ignore', 'inherit'] });
    child.stdin.end(`${password}\n`);
    const [code] = await once(child, 'close');
    assert.equal(code, 0, 'servery admin create');
  }

  /* No file of its can grow, or again as it was: as if the disk were full, for this program alone. */
  setFull(full) {
    execFileSync('prlimit', ['--pid', String(this.child.pid), `--fsize=${full ? '0' : 'unlimited'}:`]);
  }

  // How it ended by itself: [code, signal].
  async ended() {
    return this.#closed;
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.#closed;
  }

  // Ends it as an operator does. It must end by itself and in order.
  async end() {
    const overdue = setTimeout(() => this.child.kill('SIGKILL'), HANG_MS);
    this.child.kill('SIGTERM');
    const [code, signal] = await this.#closed;
    clearTimeout(overdue);
    assert.equal(code, 0, `the server ended with ${code ?? signal}:\n${this.#stderr}`);
  }

  /* Ends it and looks at what it leaves behind: data that `servery check` finds sound, and a log
   * of JSON lines without a secret. */
  async stop() {
    try {
      await this.end();
      await this.checkData();
      this.checkLog();
    } finally {
      this.removeData();
    }
  }

  removeData() {
    dropDatabaseOf(this.dir);
    rmSync(this.dir, { recursive: true, force: true });
  }

  async checkData() {
    const { code, stdout, stderr } = await this.command('check');
    assert.equal(code, 0, `servery check: ${stdout}${stderr}`);
  }

  checkLog() {
    const lines = this.#stderr.split('\n').filter(Boolean);
    for (const line of lines) {
      const { time, level, event } = JSON.parse(line);
      assert.ok(time && level && event, `a line of the log: ${line}`);
    }
    // A code is looked for as a word, and not among durations, which may be the same number.
    for (const secret of this.secrets) {
      const isCode = /^\d{6}$/.test(secret);
      const found = lines.find((line) => (isCode
        ? new RegExp(`\\b${secret}\\b`).test(line.replace(/"duration_us":\d+/, ''))
        : line.includes(secret)));
      assert.equal(found, undefined, `the log holds the secret ${secret}: ${found}`);
    }
    assert.deepEqual(this.log.filter((line) => line.event === 'request_failed'), []);
  }
}

export async function startServer(options) {
  const server = new Server(options);
  try {
    return await server.start();
  } catch (error) {
    server.child?.kill('SIGKILL');
    server.removeData();
    throw error;
  }
}
