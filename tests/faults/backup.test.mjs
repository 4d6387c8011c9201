// Backups while the shop is in full swing, on a disk that is too small, and cut off in the middle.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync,
  writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { promisify } from 'node:util';
import { buildDir, run } from '../lib/build.mjs';
import { PROGRAM } from '../lib/server.mjs';
import { startSmtp } from '../lib/smtp.mjs';
import { Load } from './load.mjs';
import { Random } from './random.mjs';
import { Shop } from './shop.mjs';
import { SmallDisk } from './small_disk.mjs';
import { Tampering } from './strace.mjs';

const execute = promisify(execFile);
const sql = (file, text) => execFileSync('sqlite3', [file, text], { encoding: 'utf8' }).trim();

function newDir(t) {
  const dir = mkdtempSync(join(tmpdir(), 'servery-backup-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/* A shop's database of some megabytes that nobody serves: mails with long bodies. */
async function largeDatabase(dir, megabytes) {
  const file = join(dir, 'servery.db');
  assert.equal((await run(PROGRAM, ['migrate', `--database=sqlite:${file}`])).code, 0);
  sql(file, `INSERT INTO outbox (recipient, subject, body, status, next_at, created_at)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${megabytes * 8})
    SELECT 'a@example.org', 's', randomblob(131072), 'waiting', 0, 0 FROM n`);
  return file;
}

test('a backup under constant writes ends, and holds all that was acknowledged before',
  async (t) => {
    const smtp = await startSmtp();
    const shop = new Shop({ mail: smtp.url });
    const load = new Load(smtp, { customers: 4, random: new Random() });
    const dir = newDir(t);
    t.after(async () => {
      load.close();
      await shop.remove();
      await smtp.close();
    });
    await shop.start();
    await load.prepare(shop);
    load.start();
    await load.after(20);
    for (let i = 0; i < 4; i++) {
      const before = [...load.orders.values()].map(({ id, status, events }) =>
        ({ id, status, events: events.length }));
      const paid = [...load.payments].filter(([, { status }]) => status === 'paid');
      const acknowledged = load.count;
      const target = join(dir, `${i}.db`);
      const { code, stdout, stderr } = await shop.command('backup', target);
      assert.equal(code, 0, stdout + stderr);
      // The shop went on meanwhile.
      await load.until(() => load.count > acknowledged);
      const events = new Map(sql(target,
        'SELECT order_id, count(*) FROM order_events GROUP BY order_id').split('\n')
        .filter(Boolean).map((line) => line.split('|').map(Number)));
      for (const { id, events: known } of before)
        assert.ok(events.get(id) >= known, `order ${id}: ${events.get(id)} of ${known} events`);
      for (const [id] of paid)
        assert.equal(sql(target, `SELECT status FROM payments WHERE id = ${id}`), 'paid');
      t.diagnostic(`${before.length} orders known before, ${events.size} in the backup`);
      await load.after(10);
    }
    await load.halt();
    await load.verifyAll();
    await shop.end();
    await shop.checkData();
  });

test('the log of a server shrinks again after a backup', async (t) => {
  const shop = new Shop();
  t.after(() => shop.remove());
  await shop.start();
  const { code } = await shop.command('backup', join(newDir(t), 'copy.db'));
  assert.equal(code, 0);
  // Nothing is left that would keep the log from being emptied.
  assert.equal(await shop.query('PRAGMA wal_checkpoint(TRUNCATE)'), '0|0|0');
  await shop.end();
});

const noDisk = SmallDisk.whyNot() || false; // never '', which some releases of node take for true

test('a disk that is full leaves nothing behind', { skip: noDisk }, async (t) => {
  const disk = new SmallDisk('16m');
  t.after(() => disk.remove());
  const file = await largeDatabase(newDir(t), 24);
  const target = join(disk.dir, 'copy.db');
  const args = ['backup', target, `--database=sqlite:${file}`];
  const { code, stderr } = await run(PROGRAM, args);
  assert.equal(code, 1);
  assert.match(stderr, /"backup_failed".*the disk is full/);
  assert.deepEqual(readdirSync(disk.dir), []);
});

test('a medium that may only be read is checked', { skip: noDisk }, async (t) => {
  const disk = new SmallDisk('16m');
  t.after(() => disk.remove());
  const file = await largeDatabase(newDir(t), 1);
  const copy = join(disk.dir, 'copy.db');
  const original = join(disk.dir, 'a 100% original?#.db');
  assert.equal((await run(PROGRAM, ['backup', copy, `--database=sqlite:${file}`])).code, 0);
  copyFileSync(file, original);
  assert.equal(sql(file, 'PRAGMA journal_mode'), 'wal'); // of the original as well
  execFileSync('mount', ['-o', 'remount,ro', disk.dir]);
  for (const path of [copy, original]) {
    const { code, stdout, stderr } = await run(PROGRAM, ['check', `--database=sqlite:${path}`]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /0 breaches/);
  }
  const { code, stderr } = await run(PROGRAM, ['migrate', `--database=sqlite:${copy}`]);
  assert.equal(code, 1);
  assert.match(stderr, /must be writable/);
});

const noTrace = Tampering.whyNot() || false;

/* One short write after the other, until end(), which gives their number. */
class Writer {
  #writes = 0;
  #ended = false;

  constructor(t, file) {
    this.child = spawn('sqlite3', ['-cmd', '.timeout 60000', file],
      { stdio: ['pipe', 'pipe', 'inherit'] });
    this.closed = once(this.child, 'close');
    t.after(() => this.child.kill());
    this.child.stdin.write(`INSERT INTO outbox (id, recipient, subject, body, status, next_at, created_at)
      VALUES (1000000, 'a@example.org', 's', x'00', 'waiting', 0, 0); SELECT 'there';\n`);
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      if (line === 'done') this.#writes++;
      if (!this.#ended)
        this.child.stdin.write(
          "UPDATE outbox SET attempts = attempts + 1 WHERE id = 1000000; SELECT 'done';\n");
    });
  }

  async end() {
    this.#ended = true;
    this.child.stdin.end();
    assert.deepEqual(await this.closed, [0, null]);
    return this.#writes;
  }
}

/* SQLite's backup begins anew when somebody has written since its last step, and would never end
 * here: between two steps lies a write at least. */
test('writes between the steps do not make a backup begin anew', { skip: noTrace, timeout: 60000 },
  async (t) => {
    const dir = newDir(t);
    const file = await largeDatabase(dir, 24);
    const target = join(dir, 'copy.db');
    const trace = join(dir, 'trace');
    const child = spawn('strace', ['-f', '-o', trace, '-e', 'trace=fsync',
      '-e', 'inject=fsync:delay_enter=300000', join(buildDir, PROGRAM), 'backup', target,
      `--database=sqlite:${file}`], { stdio: 'ignore' });
    const closed = once(child, 'close');
    t.after(() => child.kill('SIGKILL'));
    const writer = new Writer(t, file);
    assert.deepEqual(await closed, [0, null]);
    const writes = await writer.end();
    const syncs = readFileSync(trace, 'utf8').split('fsync(').length - 1;
    t.diagnostic(`${writes} writes, ${syncs} syncs`);
    assert.ok(writes > syncs, `${writes} writes, ${syncs} syncs`);
    assert.ok(syncs < 10, `${syncs} syncs`);
    assert.ok(Number(sql(target, 'SELECT attempts FROM outbox WHERE id = 1000000')) < writes);
  });

/* The n-th sync of the backup brings this signal or error along. */
async function disturbed(file, target, fault) {
  return execute('strace', ['-f', '-o', '/dev/null', '-e', 'trace=fsync',
    '-e', `inject=fsync:${fault}`, join(buildDir, PROGRAM), 'backup', target,
    `--database=sqlite:${file}`]).then((done) => ({ code: 0, ...done }), (error) => error);
}

for (const [what, fault, words] of [
  ['SIGTERM', 'signal=TERM:when=1', /it was stopped/],
  ['SIGINT', 'signal=INT:when=2', /it was stopped/],
  ['a sync that fails', 'error=EIO:when=1', /Input\/output error/],
  ['a later sync that fails', 'error=EIO:when=3', /Input\/output error/],
]) {
  test(`${what} in the middle leaves nothing behind`, { skip: noTrace }, async (t) => {
    const dir = newDir(t);
    const file = await largeDatabase(dir, 24);
    const { code, stderr } = await disturbed(file, join(dir, 'copy.db'), fault);
    assert.equal(code, 1, stderr);
    assert.match(stderr, words);
    assert.deepEqual(readdirSync(dir).filter((name) => name.startsWith('copy')), []);
  });
}

/* What of the copies is in the folder, the random ends of names left out. */
const copies = (dir) => readdirSync(dir).filter((name) => name.startsWith('copy'))
  .map((name) => name.replace(/\.partial-\w{6}$/, '.partial')).sort();

test('what a kill leaves behind is in nobody\'s way', { skip: noTrace }, async (t) => {
  const dir = newDir(t);
  const file = await largeDatabase(dir, 24);
  const target = join(dir, 'copy.db');
  const { signal } = await disturbed(file, target, 'signal=KILL:when=2');
  assert.equal(signal, 'SIGKILL');
  assert.deepEqual(copies(dir), ['copy.db.partial']);
  const { code, stderr } = await run(PROGRAM, ['backup', target, `--database=sqlite:${file}`]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(copies(dir), ['copy.db', 'copy.db.partial']);
  assert.equal(sql(target, 'PRAGMA integrity_check'), 'ok');
});

/* Runs the backup under strace, which fails or disturbs a call. Gives its words too, and of every
 * such call whether it touched the unfinished copy. */
async function tampered(dir, call, fault, args) {
  const calls = join(dir, 'calls');
  const done = await execute('strace', ['-f', '-y', '-o', calls,
    '-e', `trace=${call}`, ...(fault ? ['-e', `inject=${call}:${fault}`] : []),
    join(buildDir, PROGRAM), 'backup', ...args], { maxBuffer: 1 << 26 })
    .then((all) => ({ code: 0, ...all }), (error) => error);
  const touched = readFileSync(calls, 'latin1').split('\n').filter((line) =>
    line.includes(`${call}(`)).map((line) => /^[^>]*\.partial-\w{6}>/.test(line));
  return { ...done, touched };
}

for (const [when, left] of [
  [1, ['copy.db.key.partial', 'copy.db.partial']], [2, ['copy.db', 'copy.db.key.partial']]]) {
  test(`a kill before name ${when} is given leaves no key that is in the way`, { skip: noTrace },
    async (t) => {
      const dir = newDir(t);
      const file = await largeDatabase(dir, 1);
      const key = join(dir, 'servery.key');
      writeFileSync(key, 'k'.repeat(32), { mode: 0o600 });
      const target = join(dir, 'copy.db');
      const args = ['--with-key', `--database=sqlite:${file}`, `--secret-file=${key}`, target];
      const { signal } = await tampered(dir, 'renameat2', `signal=KILL:when=${when}`, args);
      assert.equal(signal, 'SIGKILL');
      assert.deepEqual(copies(dir), left);
      rmSync(target, { force: true });
      const again = await run(PROGRAM, ['backup', ...args]);
      assert.equal(again.code, 0, again.stderr);
      const still = left.filter((name) => name.endsWith('.partial'));
      assert.deepEqual(copies(dir), ['copy.db', 'copy.db.key', ...still].sort());
      assert.equal(readFileSync(`${target}.key`, 'utf8'), 'k'.repeat(32));
      assert.equal(statSync(`${target}.key`).mode & 0o777, 0o600);
    });
}

/* One that failed while the version was looked at counted as an older version. */
test('a read of the copy that fails makes no backup, whichever it is', { skip: noTrace },
  async (t) => {
    const dir = newDir(t);
    const file = await largeDatabase(dir, 0);
    const target = join(dir, 'copy.db');
    const args = [`--database=sqlite:${file}`, target];
    const { code, touched } = await tampered(dir, 'pread64', '', args);
    assert.equal(code, 0);
    const reads = touched.flatMap((is, i) => (is ? [i + 1] : []));
    assert.ok(reads.length > 10, `${reads.length} reads`);
    rmSync(target);
    for (const n of reads) {
      const broken = await tampered(dir, 'pread64', `error=EIO:when=${n}`, args);
      assert.ok(broken.touched[n - 1]);
      assert.equal(broken.code, 1, `read ${n}: ${broken.stdout}${broken.stderr}`);
      assert.deepEqual(copies(dir), []);
    }
  });

test('a signal while the orders are verified ends it', { skip: noTrace }, async (t) => {
  const dir = newDir(t);
  const file = await largeDatabase(dir, 0);
  const FOODS = 20000;
  sql(file, `INSERT INTO foods (name, description, category, price, available, taken, image_hash,
    created_at, updated_at) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
    WHERE i < ${FOODS}) SELECT 'Rice ' || i, '', '', 1, 1, 0, 'gone', 0, 0 FROM n`);
  const target = join(dir, 'copy.db');
  // Its first words are about the first foods.
  const { code, stdout, stderr } = await tampered(dir, 'write', 'signal=INT:when=1',
    [`--database=sqlite:${file}`, target]);
  assert.equal(code, 1);
  assert.match(stderr, /it was stopped/);
  const told = stdout.split('breach: ').length - 1;
  assert.ok(told > 0 && told < FOODS / 2, `${told} breaches`);
  assert.deepEqual(readdirSync(dir).filter((name) => name.startsWith('copy')), []);
});

test('two backups at once do not write one file', async (t) => {
  const dir = newDir(t);
  const file = await largeDatabase(dir, 8);
  const target = join(dir, 'copy.db');
  const done = await Promise.all([1, 2, 3, 4].map(() =>
    run(PROGRAM, ['backup', target, `--database=sqlite:${file}`])));
  assert.deepEqual(done.map(({ code }) => code).sort(), [0, 1, 1, 1]);
  assert.deepEqual(readdirSync(dir).filter((name) => name.startsWith('copy')), ['copy.db']);
  assert.equal(sql(target, 'PRAGMA integrity_check'), 'ok');
});
