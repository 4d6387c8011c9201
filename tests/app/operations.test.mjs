// The restore and the upgrade of docs/operations.md, run as they stand there. What belongs to the
// system (systemctl, apt-get, runuser) is stood in for; the server and its data are real.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync,
  writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildDir } from '../lib/build.mjs';
import { Client } from '../lib/client.mjs';
import { PROGRAM, Server } from '../lib/server.mjs';
import { addFood, logInAdmin, order, signUp } from '../lib/shop.mjs';

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const sql = (file, text) =>
  execFileSync('sqlite3', [file], { encoding: 'utf8', input: text }).trim();

function commands(name) {
  const block = new RegExp(`<!-- ${name} -->\\n\`\`\`sh\\n([\\s\\S]*?)\`\`\`\\n<!-- end ${name} -->`);
  return read('docs/operations.md').match(block)[1];
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
    for (const folder of [machine.data, machine.backups, machine.bin]) mkdirSync(folder);
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
      ['apt-get', `${ask}/apt-get/"$1"`],
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

  async #obey([program, verb]) {
    if (program !== 'systemctl') return;
    if (this.server && verb !== 'start') {
      await this.server.end();
      this.server = undefined;
    }
    if (verb !== 'stop') {
      this.server = await new Server({ mode: 'serve', dir: this.data,
        settings: { payment: 'test', allow_test_payments: 'yes' } }).start();
    }
  }

  start() {
    return this.#obey(['systemctl', 'start']);
  }

  async run(name, variables) {
    const shell = spawn('bash', ['-euo', 'pipefail', '-c', commands(name)], {
      env: { ...process.env, PATH: `${this.bin}:${process.env.PATH}`, DATA: this.data,
        BACKUPS: this.backups, OWNER: userInfo().username, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
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

  const fresh = await Machine.create(t);
  for (const machine of [old, fresh]) {
    const { code, out } = await machine.run('restore', { BACKUP: backup });
    assert.equal(code, 0, out);
    assert.deepEqual(machine.asked, ['systemctl stop servery', 'systemctl start servery']);
    const sound = 'checked 1 foods, 1 payments, 1 orders: 0 breaches\n'; // before and after
    assert.equal(out, sound + sound);
    assert.equal(statSync(join(machine.data, 'servery.db')).mode & 0o777, 0o600);
    // The key is the shop's, so who was logged in is it still.
    const there = new Client(machine.server, { token: customer.token });
    assert.equal((await there.get(`/api/orders/${before.id}`)).body.total, before.total);
    await there.get(`/api/orders/${after.id}`, { expect: 404 });
    assert.equal((await there.get(`/api/foods/${rice.id}`)).body.stock, 8);
  }
  const [former] = readdirSync(old.data).filter((name) => name.startsWith('former-'));
  assert.equal(sql(join(old.data, former, 'servery.db'), 'SELECT count(*) FROM orders'), '2');
});

test('the restore touches nothing when the backup is no good', async (t) => {
  const machine = await Machine.create(t);
  await machine.start();
  const torn = join(machine.backups, 'torn.db');
  writeFileSync(torn, readFileSync(join(machine.data, 'servery.db')).subarray(0, 1000));
  for (const BACKUP of [torn, join(machine.backups, 'none.db'), '']) {
    const { code } = await machine.run('restore', { BACKUP });
    assert.notEqual(code, 0);
  }
  assert.deepEqual(machine.asked, []);
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
  const { code, out } = await machine.run('upgrade', { PACKAGE: './servery_9.9.9_amd64.deb' });
  assert.equal(code, 0, out);
  assert.deepEqual(machine.asked, ['apt-get install', 'systemctl restart servery']);
  assert.ok(machine.server.log.some(({ event }) => event === 'migrated'));
  assert.match(out, /checked 1 foods, 0 payments, 0 orders: 0 breaches/);
  const client = new Client(machine.server);
  await client.get('/readyz', { expect: 200 });
  assert.equal((await client.get('/api/foods')).body.items[0].name, 'Rice');

  const before = out.match(/the way back: (.*)/)[1];
  assert.ok(existsSync(before));
  assert.equal(sql(before, 'SELECT max(version) FROM schema_migrations'), '1');
});
