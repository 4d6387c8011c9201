// The restore and the upgrade of docs/operations.md and docs/scaling.md, run as they stand there. What belongs to the
// system (systemctl, apt-get, runuser) is stood in for; the server and its data are real.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync,
  symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildDir } from '../lib/build.mjs';
import { Client } from '../lib/client.mjs';
import { databaseIn, dropDatabaseOf, postgresqlOnly, sql as ask } from '../lib/database.mjs';
import { ADMIN, PROGRAM, Server } from '../lib/server.mjs';
import { addFood, logInAdmin, move, order, signUp } from '../lib/shop.mjs';

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const sql = (file, text) =>
  execFileSync('sqlite3', [file], { encoding: 'utf8', input: text }).trim();

function commands(name) {
  const block = new RegExp(`<!-- ${name} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\`\\n<!-- end ${name} -->`);
  return (read('docs/operations.md') + read('docs/scaling.md')).match(block)[1];
}

/* A machine on which the shop is installed: its data folder, and a supervisor that starts and stops
 * the server when the shell says systemctl. */
class Machine {
  asked = [];

  static async create(t) {
    const machine = new Machine();
    const home = mkdtempSync(join(tmpdir(), 'servery-machine-'));
    machine.data = join(home, 'data');
    machine.backups = join(home, 'backups');
    machine.bin = join(home, 'bin');
    machine.config = join(home, 'servery.conf');
    for (const folder of [machine.data, machine.backups, machine.bin]) mkdirSync(folder);
    writeFileSync(machine.config, `database = sqlite:${join(machine.data, 'servery.db')}\n`
      + `secret_file = ${join(machine.data, 'servery.key')}\n`);
    machine.http = http.createServer((request, response) => {
      const words = request.url.slice(1).split('/');
      machine.asked.push(words.join(' '));
      machine.#obey(words).then(() => response.end(), (error) => {
        response.statusCode = 500;
        response.end(String(error));
      });
    });
    machine.http.listen(0, '127.0.0.1');
    await once(machine.http, 'listening');
    const ask = `exec curl -sS --fail-with-body http://127.0.0.1:${machine.http.address().port}`;
    symlinkSync(join(buildDir, PROGRAM), join(machine.bin, 'servery'));
    for (const [name, text] of [
      ['systemctl', `${ask}/systemctl/"$1"/"$2"`],
      ['apt-get', `printf '%s\\n' "$@" >"$0.words"; ${ask}/apt-get/"$1"`],
      ['runuser', 'shift 3; exec "$@"'],
    ])
      writeFileSync(join(machine.bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    t.after(async () => {
      machine.http.close();
      if (machine.server) await machine.server.kill();
      rmSync(home, { recursive: true, force: true });
    });
    return machine;
  }

  /* The package restarts the server when it is installed. */
  async #obey([, verb]) {
    if (this.server && verb !== 'start') {
      await this.server.end();
      this.server = undefined;
    }
    if (verb !== 'stop' && !this.server) {
      const [, database] = readFileSync(this.config, 'utf8').match(/^database = (.*)$/m);
      this.server = await new Server({ mode: 'serve', dir: this.data,
        settings: { payment: 'test', allow_test_payments: 'yes', database } }).start();
    }
  }

  start() {
    return this.#obey(['systemctl', 'start']);
  }

  /* As somebody pastes it: into a shell that goes on after a failure. */
  async run(name, variables) {
    const shell = spawn('sh', [], {
      env: { ...process.env, PATH: `${this.bin}:${process.env.PATH}`, DATA: this.data,
        BACKUPS: this.backups, CONFIG: this.config, OWNER: userInfo().username, ...variables },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let out = '';
    shell.stdin.end(name.split(' ').map(commands).join(''));
    for (const stream of [shell.stdout, shell.stderr])
      stream.setEncoding('utf8').on('data', (text) => { out += text; });
    const [code] = await once(shell, 'close');
    return { code, out };
  }
}

test('the restore brings the shop back, on the same machine and on a new one', async (t) => {
  const old = await Machine.create(t);
  await old.start();
  await old.server.makeAdmin();
  const admin = await logInAdmin(old.server);
  const rice = await addFood(admin, { stock: 10 });
  const customer = await signUp(old.server);
  const before = await order(customer, [[rice, 2]]);
  const backup = join(old.backups, 'night.db');
  const made = await old.server.command('backup', '--with-key', backup);
  assert.equal(made.code, 0, made.stderr);
  const after = await order(customer, [[rice, 1]]);

  // On another machine the package has started a server, with a key and data of its own.
  const fresh = await Machine.create(t);
  await fresh.start();
  const moved = await Machine.create(t);
  const lone = join(moved.backups, 'lone.db');
  copyFileSync(backup, lone);
  for (const [machine, variables, words] of [
    [old, { BACKUP: backup }, `the key is now that of ${backup}.key`],
    [fresh, { BACKUP: backup }, `the key is now that of ${backup}.key`],
    [moved, { BACKUP: lone, KEY: `${backup}.key` }, `the key is now that of ${backup}.key`],
    [old, { BACKUP: lone }, `there is no ${lone}.key: the present key stays`],
  ]) {
    machine.asked = [];
    const { code, out } = await machine.run('restore', variables);
    assert.equal(code, 0, out);
    assert.deepEqual(machine.asked, ['systemctl stop servery', 'systemctl start servery']);
    const sound = 'checked 1 foods, 1 payments, 1 orders: 0 breaches\n'; // before and after
    const [, named] = out.match(/^the former files: (.*)$/m);
    assert.equal(out, `${sound}the former files: ${named}\n${words}\n${sound}`);
    assert.equal(existsSync(join(named, 'servery.db')), machine !== moved);
    assert.equal(statSync(join(machine.data, 'servery.key')).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(machine.data).filter((name) => name.startsWith('restored')), []);
    assert.equal(statSync(join(machine.data, 'servery.db')).mode & 0o777, 0o600);
    // The key is the shop's, so who was logged in is it still.
    const there = new Client(machine.server, { token: customer.token });
    assert.equal((await there.get(`/api/orders/${before.id}`)).body.total, before.total);
    await there.get(`/api/orders/${after.id}`, { expect: 404 });
    assert.equal((await there.get(`/api/foods/${rice.id}`)).body.stock, 8);
  }
  const formers = readdirSync(old.data).filter((name) => name.startsWith('former-'));
  assert.deepEqual(formers.map((name) =>
    sql(join(old.data, name, 'servery.db'), 'SELECT count(*) FROM orders')).sort(), ['1', '2']);
});

/* Pasted into a shell that goes on after a failure, it went on. */
test('the restore touches nothing when the backup is no good', async (t) => {
  const machine = await Machine.create(t);
  await machine.start();
  const good = join(machine.backups, 'good.db');
  const made = await machine.server.command('backup', good);
  assert.equal(made.code, 0, made.stderr);
  const before = readdirSync(machine.data).sort();
  const torn = join(machine.backups, 'torn.db');
  writeFileSync(torn, readFileSync(join(machine.data, 'servery.db')).subarray(0, 1000));
  for (const variables of [{ BACKUP: torn }, { BACKUP: join(machine.backups, 'none.db') },
    { BACKUP: '' }, { BACKUP: good, KEY: join(machine.backups, 'none.key') },
    { BACKUP: good, OWNER: 'nobody-at-all' }]) {
    const { code } = await machine.run('restore', variables);
    assert.notEqual(code, 0);
    assert.deepEqual(readdirSync(machine.data).sort(), before);
  }
  assert.deepEqual(machine.asked, []);
  await new Client(machine.server).get('/readyz', { expect: 200 });
});

test('the move takes the shop to another database, or leaves it where it is', async (t) => {
  const machine = await Machine.create(t);
  await machine.start();
  await machine.server.makeAdmin();
  const rice = await addFood(await logInAdmin(machine.server), { stock: 10 });
  const customer = await signUp(machine.server);
  const placed = await order(customer, [[rice, 2]]);
  const settings = readFileSync(machine.config, 'utf8');
  const FROM = `sqlite:${join(machine.data, 'servery.db')}`;

  const nowhere = await machine.run('move', { FROM, TO: 'sqlite:/nowhere/at/all.db' });
  assert.notEqual(nowhere.code, 0);
  assert.equal(readFileSync(machine.config, 'utf8'), settings);
  await new Client(machine.server).get('/readyz', { expect: 200 });

  const other = join(machine.data, 'elsewhere');
  mkdirSync(other);
  const TO = databaseIn(other);
  t.after(() => dropDatabaseOf(other));
  machine.asked = [];
  const { code, out } = await machine.run('move', { FROM, TO });
  assert.equal(code, 0, out);
  assert.deepEqual(machine.asked, ['systemctl stop servery', 'systemctl start servery']);
  assert.match(out, /checked 1 foods, 1 payments, 1 orders: 0 breaches/);
  assert.equal(readFileSync(machine.config, 'utf8'),
    `${settings.split('\n').slice(1).join('\n')}database = ${TO}\n`);
  const there = new Client(machine.server, { token: customer.token });
  assert.equal((await there.get(`/api/orders/${placed.id}`)).body.total, placed.total);
  assert.equal(machine.server.settings.database, TO);
});

test('a database in servery.env, which would win, is not moved away from', async (t) => {
  const machine = await Machine.create(t);
  const settings = readFileSync(machine.config, 'utf8');
  writeFileSync(machine.config.replace('.conf', '.env'), 'SERVERY_DATABASE=sqlite:other.db\n');
  for (const [name, variables] of [['move', {}], ['restore-postgresql', { BACKUP: '/dev/null' }]]) {
    const { code, out } = await machine.run(name, { TO: 'sqlite:new.db', ...variables });
    assert.equal(code, 1);
    assert.match(out, /SERVERY_DATABASE in .*servery\.env wins/);
  }
  assert.deepEqual(machine.asked, []);
  assert.equal(readFileSync(machine.config, 'utf8'), settings);
});

test('PostgreSQL: the night\'s dump and the one before an upgrade bring the shop back', postgresqlOnly,
  async (t) => {
    const machine = await Machine.create(t);
    const place = (name) => {
      const dir = join(machine.data, name);
      mkdirSync(dir);
      t.after(() => dropDatabaseOf(dir));
      return databaseIn(dir);
    };
    const URL = place('first');
    const settings = readFileSync(machine.config, 'utf8');
    writeFileSync(machine.config, settings.replace(/^database = .*$/m, `database = ${URL}`));
    await machine.start();
    await machine.server.makeAdmin();
    const rice = await addFood(await logInAdmin(machine.server), { stock: 10 });
    const customer = await signUp(machine.server);
    const placed = await order(customer, [[rice, 2]]);

    // The unit, as systemd reads it.
    const [, unit] = commands('backup-postgresql').match(/^ExecStart=\/bin\/sh -ec '(.*)'$/m);
    const words = unit.replaceAll('$$', '$').replaceAll('%%', '%')
      .replace('/var/lib/servery-backups', machine.backups);
    execFileSync('sh', ['-ec', words], { env: { ...process.env, URL }, stdio: 'pipe' });
    const [night] = readdirSync(machine.backups);
    assert.match(night, /^servery-[-\d]{17}\.dump$/);
    const later = await order(customer, [[rice, 1]]);

    const PACKAGE = 'servery_9.9.9_amd64.deb';
    const upgrade = await machine.run('upgrade-postgresql', { URL, PACKAGE });
    assert.equal(upgrade.code, 0, upgrade.out);
    assert.deepEqual(machine.asked,
      ['systemctl stop servery', 'apt-get install', 'systemctl start servery']);
    const before = upgrade.out.match(/the way back: (.*)/)[1];

    for (const [name, BACKUP, orders, status] of [
      ['night', join(machine.backups, night), 1, 404], ['before', before, 2, 200]]) {
      const TO = place(name);
      machine.asked = [];
      const { code, out } = await machine.run('restore-postgresql', { BACKUP, TO });
      assert.equal(code, 0, out);
      assert.ok(out.includes(`checked 1 foods, ${orders} payments, ${orders} orders: 0 breaches`), out);
      assert.deepEqual(machine.asked, ['systemctl stop servery', 'systemctl start servery']);
      assert.equal(machine.server.settings.database, TO);
      const there = new Client(machine.server, { token: customer.token });
      assert.equal((await there.get(`/api/orders/${placed.id}`)).body.total, placed.total);
      await there.get(`/api/orders/${later.id}`, { expect: status });
    }

    // Nothing is touched when there is no way back, or the dump is no good.
    machine.asked = [];
    const torn = join(machine.backups, 'torn.dump');
    writeFileSync(torn, readFileSync(before).subarray(0, 5000));
    const TO = place('torn');
    assert.notEqual((await machine.run('restore-postgresql', { BACKUP: torn, TO })).code, 0);
    assert.equal(await ask(TO, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), '0');
    assert.deepEqual(machine.asked, []);
    const none = await machine.run('upgrade-postgresql', { URL: `${URL}_none`, PACKAGE });
    assert.equal(none.code, 1);
    assert.deepEqual(machine.asked, ['systemctl stop servery', 'systemctl start servery']);
    await new Client(machine.server).get('/readyz', { expect: 200 });
  });

// The schema of the first version, as its program made it.
function firstVersion(file) {
  const tokens = [[/\$ID\$/g, 'INTEGER PRIMARY KEY'], [/\$BLOB\$/g, 'BLOB'], [/\$STRICT\$/g, 'STRICT'],
    [/\$ID_NEVER_REUSED\$/g, 'INTEGER PRIMARY KEY AUTOINCREMENT'], [/\bBIGINT\b/g, 'INTEGER']];
  const schema = tokens.reduce((text, [token, word]) => text.replace(token, word),
    read('migrations/0001-shop.sql'));
  sql(file, `PRAGMA journal_mode = WAL; CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY,
    name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT;
    ${schema}
    INSERT INTO schema_migrations VALUES (1, 'shop', 0);
    INSERT INTO foods (name, description, category, price, available, created_at, updated_at)
    VALUES ('Rice', '', '', 100, 1, 0, 0);`);
}

test('the upgrade brings older data along, and leaves the way back', async (t) => {
  const machine = await Machine.create(t);
  const database = join(machine.data, 'servery.db');
  firstVersion(database);
  const { code, out } = await machine.run('upgrade', { PACKAGE: 'servery_9.9.9_amd64.deb' });
  assert.equal(code, 0, out);
  assert.deepEqual(machine.asked, ['apt-get install']);
  assert.deepEqual(readFileSync(join(machine.bin, 'apt-get.words'), 'utf8').trim().split('\n'),
    ['install', '-y', '-o', 'Dpkg::Options::=--force-confold', './servery_9.9.9_amd64.deb']);
  assert.ok(machine.server.log.some(({ event }) => event === 'migrated'));
  assert.match(out, /checked 1 foods, 0 payments, 0 orders: 0 breaches/);
  const client = new Client(machine.server);
  await client.get('/readyz', { expect: 200 });
  assert.equal((await client.get('/api/foods')).body.items[0].name, 'Rice');

  const before = out.match(/the way back: (.*)/)[1];
  assert.ok(existsSync(before));
  assert.equal(sql(before, 'SELECT max(version) FROM schema_migrations'), '1');
});

test('nothing is installed without a backup to go back to', async (t) => {
  const machine = await Machine.create(t);
  writeFileSync(join(machine.data, 'servery.db'), 'To whom it may concern\n'.repeat(200));
  for (const PACKAGE of ['./servery_9.9.9_amd64.deb', '']) {
    const { code, out } = await machine.run('upgrade', { PACKAGE });
    assert.notEqual(code, 0);
    assert.doesNotMatch(out, /the way back/);
  }
  assert.deepEqual(machine.asked, []);
});

test('the commands of an admin set up a shop, and settle what a payment needs', async (t) => {
  const machine = await Machine.create(t);
  await machine.start();
  await machine.server.makeAdmin();
  const login = { BASE: `http://127.0.0.1:${machine.server.port}`, EMAIL: ADMIN.email,
    PASSWORD: ADMIN.password };
  const made = await machine.run('login shop', login);
  assert.equal(made.code, 0, made.out);
  const customer = await signUp(machine.server);
  const [rice] = (await customer.get('/api/foods')).body.items;
  assert.equal(rice.name, 'Jollof rice');
  assert.equal((await customer.get('/api/shop')).body.timezone, 'Africa/Lagos');

  const admin = await logInAdmin(machine.server);
  await move(admin, await order(customer, [[rice, 1]]), 'cancelled');
  const found = await machine.run('login attention', login);
  assert.equal(found.code, 0, found.out);
  const { id, version, refund_due: due } = JSON.parse(found.out);
  assert.equal(due, true);
  const wrong = await machine.run('login resolve', { ...login, ID: id, VERSION: version + 1 });
  assert.match(wrong.out, /version_conflict/);
  const done = await machine.run('login resolve', { ...login, ID: id, VERSION: version });
  assert.equal(done.code, 0, done.out);
  const { items } = (await admin.get('/api/admin/payments?refund_due=true')).body;
  assert.deepEqual(items, []);
  assert.equal(JSON.parse(done.out).resolved.note, 'paid back, 12 May');
});
