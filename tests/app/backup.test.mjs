// `servery backup`, and what reads a copy: the command as an operator uses it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, linkSync, mkdirSync, mkdtempSync, openSync, readFileSync,
  readdirSync, rmSync, statSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildDir, run } from '../lib/build.mjs';
import { PROGRAM, startServer } from '../lib/server.mjs';
import { addFood, fillCart, logInAdmin, order, signUp } from '../lib/shop.mjs';

const dir = mkdtempSync(join(tmpdir(), 'servery-backup-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const servery = (...args) => run(PROGRAM, args, { cwd: dir });
const sql = (file, text) => execFileSync('sqlite3', [file, text], { encoding: 'utf8' }).trim();
const folder = (name) => {
  const path = join(dir, name);
  mkdirSync(path);
  return path;
};

// A database that nobody serves.
async function newDatabase(name) {
  const file = join(dir, `${name}.db`);
  const { code, stderr } = await servery('migrate', `--database=sqlite:${file}`);
  assert.equal(code, 0, stderr);
  return file;
}

test('a backup beside the server is the shop, and a shop can be opened with it', async () => {
  const server = await startServer({ mode: 'serve',
    settings: { payment: 'test', allow_test_payments: 'yes' } });
  const target = join(dir, 'shop.db');
  try {
    await server.makeAdmin();
    const admin = await logInAdmin(server);
    const rice = await addFood(admin, { stock: 5 });
    const customer = await signUp(server);
    const placed = await order(customer, [[rice, 2]]);

    const { code, stdout, stderr } = await server.command('backup', target, '--with-key');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /checked 1 foods, 1 payments, 1 orders: 0 breaches/);
    assert.match(stdout, new RegExp(`${statSync(target).size} bytes`));
    assert.equal(statSync(target).mode & 0o777, 0o600);
    assert.equal(statSync(`${target}.key`).mode & 0o777, 0o600);
    assert.deepEqual(readFileSync(`${target}.key`), readFileSync(server.settings.secret_file));
    assert.equal(sql(target, 'PRAGMA journal_mode'), 'delete');
    assert.deepEqual(readdirSync(dir).sort(), ['shop.db', 'shop.db.key']);
    await fillCart(customer, [rice, 1]); // is not in it

    const restored = await startServer({ mode: 'serve', settings: { payment: 'test',
      allow_test_payments: 'yes', database: `sqlite:${target}`, secret_file: `${target}.key` } });
    try {
      const there = Object.assign(customer, { server: restored });
      assert.equal((await there.get(`/api/orders/${placed.id}`)).body.total, placed.total);
      assert.deepEqual((await there.get('/api/cart')).body.items, []);
    } finally {
      await restored.stop();
    }
  } finally {
    await server.stop();
  }
});

test('a file that is there is not written over', async () => {
  const file = await newDatabase('there');
  const home = folder('targets');
  writeFileSync(join(home, 'a'), 'precious');
  symlinkSync(join(home, 'nowhere'), join(home, 'b'));
  writeFileSync(join(home, 'c.key'), 'precious');
  for (const name of ['a', 'b', 'c']) {
    const { code, stderr } = await servery('backup', '--with-key', join(home, name),
      `--database=sqlite:${file}`);
    assert.equal(code, 1);
    assert.match(stderr, /never written over/);
  }
  assert.deepEqual(readdirSync(home).sort(), ['a', 'b', 'c.key']);
  assert.equal(readFileSync(join(home, 'a'), 'utf8'), 'precious');
  assert.equal(readFileSync(join(home, 'c.key'), 'utf8'), 'precious');
});

/* The name of the unfinished copy could be guessed, and whatever bore it was emptied. */
test('nothing that is there is touched, whatever it is called', async () => {
  const home = folder('guessed');
  const precious = join(home, 'precious');
  const database = join(home, 'a.db.partial');
  copyFileSync(await newDatabase('to_guess'), database);
  writeFileSync(precious, 'precious');
  for (const name of ['a.db.key.partial', 'b.db.partial', 'b.db.partial-journal'])
    linkSync(precious, join(home, name));
  for (const name of ['a.db', 'b.db']) {
    const { code, stderr } = await servery('backup', '--with-key', join(home, name),
      `--database=sqlite:${database}`, `--secret-file=${precious}`);
    assert.equal(code, 0, stderr);
  }
  await servery('backup', join(home, 'c.db'), `--database=sqlite:${precious}`); // fails
  assert.equal(sql(database, 'SELECT count(*) > 0 FROM schema_migrations'), '1');
  assert.equal(readFileSync(precious, 'utf8'), 'precious');
  assert.deepEqual(readdirSync(home).filter((name) => !/-(wal|shm)$/.test(name)).sort(),
    ['a.db', 'a.db.key', 'a.db.key.partial', 'a.db.partial', 'b.db', 'b.db.key', 'b.db.partial',
      'b.db.partial-journal', 'precious']);
});

/* SQLite takes them for the backup's own, and replayed them into it when it was opened. */
for (const ending of ['-wal', '-shm', '-journal']) {
  test(`a backup is not laid beside a stale ${ending}`, async () => {
    const file = await newDatabase(`beside${ending}`);
    const home = folder(`stale${ending}`);
    writeFileSync(join(home, `copy.db${ending}`), 'stale');
    const { code, stderr } = await servery('backup', join(home, 'copy.db'),
      `--database=sqlite:${file}`);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`copy\\.db${ending}: exists, and would be taken for a part`));
    assert.deepEqual(readdirSync(home), [`copy.db${ending}`]);
  });
}

test('the names that the server uses itself are refused, however they are spelt', async () => {
  const home = folder('own');
  const shown = folder('shown');
  copyFileSync(await newDatabase('own_database'), join(home, 'shop.db'));
  symlinkSync(home, join(dir, 'alias'));
  symlinkSync(join(home, 'shop.db'), join(shown, 'link.db'));
  const key = join(home, 'copy.key');
  for (const [target, database] of [
    ...['', '-wal', '-shm', '-journal', '.lock'].flatMap((ending) => [
      [join(home, `shop.db${ending}`), join(home, 'shop.db')],
      [join(dir, 'alias', `shop.db${ending}`), join(home, 'shop.db')],
      [`own/../own/shop.db${ending}`, join(home, 'shop.db')],
      [join(home, `shop.db${ending}`), join(shown, 'link.db')],
    ]),
    [key, join(home, 'shop.db')],
    [join(home, 'copy'), join(home, 'shop.db')], // its key's
  ]) {
    const { code, stderr } = await servery('backup', '--with-key', target,
      `--database=sqlite:${database}`, `--secret-file=${key}`);
    assert.equal(code, 1, target);
    assert.match(stderr, /is a name that the server uses itself/, target);
  }
  assert.deepEqual(readdirSync(home).filter((name) => !/-(wal|shm)$/.test(name)), ['shop.db']);
});

for (const [args, code, words] of [
  [[], 2, /usage: servery backup/],
  [['a', 'b'], 2, /usage: servery backup/],
  [[''], 2, /usage: servery backup/],
  [['x.db', '--database=sqlite:no-such.db'], 1, /no such database/],
  [['no/such/folder/x.db'], 1, /No such file/],
  [['x.db', '--with-key', '--secret-file=no-such.key'], 1, /no-such\.key: No such file/],
]) {
  test(`backup ${args.join(' ')} is refused, and leaves nothing`, async () => {
    const file = join(dir, 'plain.db');
    const { code: made } = await servery('migrate', `--database=sqlite:${file}`);
    assert.equal(made, 0);
    const done = await servery('backup', `--database=sqlite:${file}`, ...args);
    assert.equal(done.code, code, done.stderr);
    assert.match(done.stderr, words);
    assert.deepEqual(readdirSync(dir).filter((name) => /^x\.db|partial/.test(name)), []);
  });
}

test('what is no shop is not backed up', async () => {
  const home = folder('strangers');
  sql(join(home, 'other.db'), 'CREATE TABLE t (a); PRAGMA journal_mode = WAL');
  writeFileSync(join(home, 'text.db'), 'To whom it may concern\n'.repeat(200));
  for (const name of ['other', 'text']) {
    const { code } = await servery('backup', join(home, 'copy.db'),
      `--database=sqlite:${join(home, `${name}.db`)}`);
    assert.equal(code, 1);
  }
  assert.deepEqual(readdirSync(home).filter((name) => name.startsWith('copy')), []);
});

test('a damaged database makes no backup', async () => {
  const file = await newDatabase('damaged');
  sql(file, 'PRAGMA wal_checkpoint(TRUNCATE)');
  const root = Number(sql(file,
    "SELECT rootpage FROM sqlite_schema WHERE name = 'schema_migrations'"));
  const page = Number(sql(file, 'PRAGMA page_size'));
  const fd = openSync(file, 'r+');
  writeSync(fd, Buffer.alloc(64, 0xff), 0, 64, (root - 1) * page + page - 64);
  const { code, stderr } = await servery('backup', join(dir, 'never.db'),
    `--database=sqlite:${file}`);
  assert.equal(code, 1);
  assert.match(stderr, /"backup_failed".*damaged/);
  assert.deepEqual(readdirSync(dir).filter((name) => name.startsWith('never')), []);
});

test('rows that refer to none make no backup', async () => {
  const file = await newDatabase('orphans');
  sql(file, "PRAGMA foreign_keys = OFF; INSERT INTO cart_items VALUES (7, 7, 1, 1, 0)");
  const { code, stderr } = await servery('backup', join(dir, 'never.db'),
    `--database=sqlite:${file}`);
  assert.equal(code, 1);
  assert.match(stderr, /"backup_failed"/);
  assert.deepEqual(readdirSync(dir).filter((name) => name.startsWith('never')), []);
});

test('a shop with a breach gets its backup, and is told', async () => {
  const file = await newDatabase('breach');
  sql(file, `INSERT INTO foods (name, description, category, price, available, taken, created_at,
    updated_at) VALUES ('Rice', '', '', 1, 1, 3, 0, 0)`);
  const target = join(dir, 'breach-copy.db');
  const { code, stdout } = await servery('backup', target, `--database=sqlite:${file}`);
  assert.equal(code, 1);
  assert.match(stdout, /breach: food_taken 1/);
  assert.equal(sql(target, 'SELECT taken FROM foods'), '3');
});

test('an older version is backed up as it is, a newer one is not', async () => {
  const file = await newDatabase('versions');
  const newest = Number(sql(file, 'SELECT max(version) FROM schema_migrations'));
  const backup = (name) =>
    servery('backup', join(dir, name), `--database=sqlite:${file}`);
  sql(file, `INSERT INTO schema_migrations VALUES (${newest + 1}, 'to come', 0)`);
  const newer = await backup('newer.db');
  assert.equal(newer.code, 1);
  assert.match(newer.stderr, /"database_newer"/);
  sql(file, 'DELETE FROM schema_migrations WHERE version > 1');
  const older = await backup('older.db');
  assert.equal(older.code, 0, older.stderr);
  if (newest > 1) assert.match(older.stdout, /version is 1, older/);
  assert.equal(sql(join(dir, 'older.db'), 'SELECT max(version) FROM schema_migrations'), '1');
});

test('check writes nothing, and needs no right to', async () => {
  const home = folder('readable');
  const file = await newDatabase('original');
  const target = join(home, 'copy.db');
  assert.equal((await servery('backup', target, `--database=sqlite:${file}`)).code, 0);
  chmodSync(target, 0o444);
  chmodSync(home, 0o555);
  chmodSync(dir, 0o755);
  const before = readFileSync(target);
  // Who has no right to the data may have none to the sources either.
  const program = join(folder('program'), 'servery');
  copyFileSync(join(buildDir, PROGRAM), program);
  const user = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};
  const { code, stdout, stderr } = await run(program, ['check', `--database=sqlite:${target}`],
    { cwd: '/', ...user });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /0 breaches/);
  assert.deepEqual(readdirSync(home), ['copy.db']);
  assert.deepEqual(readFileSync(target), before);
  chmodSync(home, 0o755);

  // With a log of its own, nobody can promise that it does not change while it is read.
  const other = folder('not_writable');
  copyFileSync(file, join(other, 'original.db'));
  chmodSync(join(other, 'original.db'), 0o444);
  chmodSync(other, 0o555);
  const refused = await run(program, ['check', `--database=sqlite:${join(other, 'original.db')}`],
    { cwd: '/', ...user });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /"database_cannot_open".*folder must be writable/);
  assert.deepEqual(readdirSync(other), ['original.db']);
  chmodSync(other, 0o755);
});

for (const name of [':memory:', ':memory:?cache=shared', 'file:shop.db', 'file::memory:']) {
  test(`sqlite:${name} is no file, and none is made`, async () => {
    for (const command of [['serve', '--listen=127.0.0.1:0'], ['migrate'], ['check'],
      ['backup', 'copy.db']]) {
      const { code, stderr } = await servery(...command, `--database=sqlite:${name}`);
      assert.equal(code, 1);
      assert.match(stderr, /"database_cannot_open".*name a file/);
    }
    assert.deepEqual(readdirSync(dir).filter((entry) => /memory|^file|^copy\.db/.test(entry)), []);
  });
}
