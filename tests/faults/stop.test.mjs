// The end of a server, and the starts that it refuses.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, statSync, truncateSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Client, openStream, RawConnection } from '../lib/client.mjs';
import { onPostgresql, sqliteOnly } from '../lib/database.mjs';
import { HANG_MS } from '../lib/server.mjs';
import { addFood, logInAdmin, order, signUp } from '../lib/shop.mjs';
import { startSmtp } from '../lib/smtp.mjs';
import { Load } from './load.mjs';
import { Random, seed } from './random.mjs';
import { Shop } from './shop.mjs';

async function startShop(t, options) {
  const shop = new Shop(options);
  t.after(() => shop.remove());
  return shop.start();
}

/* All that runs is finished, and nothing had to be cut off after the 10 s that a stop leaves it. */
async function stopInTime(shop) {
  const started = performance.now();
  await shop.end(); // asserts that it exits with 0
  assert.equal(shop.log.find((line) => line.event === 'stop_late'), undefined);
  return performance.now() - started;
}

/* ---- Stopping ---- */

test('stopped under load', async (t) => {
  t.diagnostic(`SERVERY_SEED=${seed}`);
  const random = new Random();
  const smtp = await startSmtp();
  const shop = await startShop(t, { mail: smtp.url });
  const load = new Load(smtp, { random });
  t.after(async () => {
    load.close();
    await smtp.close();
  });
  await load.prepare(shop);
  const times = [];
  for (let stop = 0; stop < 6; stop++) {
    load.mayLose = false;
    load.mayRefuse = false;
    load.start();
    await load.after(random.int(1, 60));
    load.mayLose = true;
    load.mayRefuse = true;
    times.push(await stopInTime(shop));
    await load.halt();
    await shop.start();
    load.connect(shop.port);
    // Unlike a kill, it leaves nobody without the answer to what was done.
    assert.equal(await load.verifyAndSettle(), 0, 'done, but not answered');
    await shop.checkData();
  }
  await load.verifyAll();
  await shop.end();
  t.diagnostic(`stopped within ${Math.max(...times).toFixed(0)} ms, ` +
    `${load.count} calls acknowledged`);
});

// Holds a lock on what is written, so that calls that write do not end until it is released.
async function lockDatabase(t, shop) {
  const [program, args, lock] = onPostgresql
    ? ['psql', ['--no-psqlrc', '--quiet', shop.settings.database],
      'BEGIN; LOCK TABLE users IN EXCLUSIVE MODE;']
    : ['sqlite3', [shop.file], 'BEGIN IMMEDIATE;'];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill()); // a test that failed must not leave it waiting
  const ended = once(child, 'close');
  const release = () => {
    child.stdin.end('ROLLBACK;\n');
    return ended;
  };
  child.stdin.write(`${lock} SELECT 'it is locked';\n`);
  let said = '';
  for await (const text of child.stdout.setEncoding('utf8'))
    if ((said += text).includes('it is locked')) return { release };
  throw new Error(`no lock: ${said}`);
}

// Whether the server has read all that its clients have sent.
function allRead(port) {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(local) && fields[3] === '01')
    .every((fields) => fields[4].endsWith(':00000000'));
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

function connects(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}

test('a call that runs is finished, and none is taken on', async (t) => {
  const shop = await startShop(t);
  const user = await signUp(shop);
  const lock = await lockDatabase(t, shop);
  const connection = await RawConnection.open(shop);
  const body = JSON.stringify({ name: 'Last Minute' });
  connection.write(`PUT /api/me HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\n` +
    `Authorization: Bearer ${user.token}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  while (!allRead(shop.port)) await nextTurn();
  const ended = shop.end();
  await shop.waitFor(() => shop.log.find((line) => line.event === 'stopping'), HANG_MS, 'stopping');
  while (await connects(shop.port)) await nextTurn();
  assert.equal(connection.text, '', 'it cannot be answered yet');
  await lock.release();
  const answer = await connection.answer();
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers.connection, 'close');
  await ended;
  await shop.start();
  assert.equal((await user.get('/api/me')).body.name, 'Last Minute');
  await stopInTime(shop);
});

test('clients that do nothing do not hold up the stop', async (t) => {
  const shop = await startShop(t);
  await shop.makeAdmin();
  const admin = await logInAdmin(shop);
  const placed = await order(admin, [await addFood(admin)]);
  const stream = await openStream(admin, `/api/orders/${placed.id}/events`);
  const silent = await RawConnection.open(shop);
  const ms = await stopInTime(shop);
  await stream.untilEnded();
  await silent.untilClosed();
  t.diagnostic(`stopped within ${ms.toFixed(0)} ms`);
});

test('a server that drains serves, but is not ready', async (t) => {
  const shop = await startShop(t, { settings: { drain: '60s' } });
  const user = await signUp(shop);
  assert.equal((await user.get('/readyz')).headers.connection, undefined);
  shop.child.kill('SIGTERM');
  await shop.waitFor(() => shop.log.find((line) => line.event === 'stopping'), HANG_MS, 'stopping');
  let ready;
  do ready = await user.get('/readyz', { expect: 'any' }); while (ready.status === 200);
  assert.equal(ready.status, 503);
  assert.equal(ready.body.detail, 'This server is about to stop.');
  const told = () => shop.log.filter(({ event, route }) =>
    event === 'request' && route === '/readyz');
  await shop.waitFor(() => told().length > 0, HANG_MS, 'the line of /readyz');
  for (const { level, status } of told()) assert.deepEqual([level, status], ['info', 503]);
  const answer = await user.put('/api/me', { name: 'Last Minute' }, { expect: 200 });
  assert.equal(answer.headers.connection, 'close');
  await user.get('/healthz', { expect: 200 });
  shop.child.kill('SIGTERM'); // who asks twice does not want to wait
  assert.deepEqual(await shop.ended(), [null, 'SIGTERM']);
  delete shop.settings.drain;
  await shop.start();
  assert.equal((await user.get('/api/me')).body.name, 'Last Minute');
  await stopInTime(shop);
});

/* ---- A second server ---- */

test('a second server is refused, and the first goes on', sqliteOnly, async (t) => {
  const shop = await startShop(t);
  const food = await (async () => {
    await shop.makeAdmin();
    return addFood(await logInAdmin(shop));
  })();
  await shop.refuses(/already in use/, {
    settings: { database: `sqlite:${join(shop.dir, 'other.db')}` },
  });
  await shop.refuses(/another servery already serves/, { settings: { listen: '127.0.0.1:0' } });
  assert.deepEqual((await new Client(shop).get(`/api/foods/${food.id}`)).body, food);
  await stopInTime(shop);
  await shop.checkData();
});

test('a kill leaves no stale lock', sqliteOnly, async (t) => {
  const shop = await startShop(t);
  await shop.kill();
  assert.ok(existsSync(`${shop.file}.lock`), 'the file stays, the lock does not');
  await shop.start();
  await stopInTime(shop);
});

/* ---- Data that cannot be served ---- */

// A shop that was served before and is stopped.
async function stoppedShop(t) {
  const shop = await startShop(t);
  await shop.makeAdmin();
  await shop.end();
  return shop;
}

// Root may write everything, unless it gives that up.
const asOwner = process.getuid() === 0
  ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search,-fowner', '--'] : [];

// The trouble is over: the shop serves what it had.
async function servesAgain(shop) {
  await shop.start();
  await logInAdmin(shop);
  await shop.end();
  await shop.checkData();
}

// The first one waits, and the others can be done meanwhile.
describe('each on its own', { concurrency: true }, () => {
  test('a request that never becomes whole does not hold up the stop', async (t) => {
    const shop = await startShop(t);
    const half = await RawConnection.open(shop);
    half.write('POST /api/login HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 100\r\n\r\n{"ident');
    while (!allRead(shop.port)) await nextTurn();
    await shop.end();
    await half.untilClosed();
  });

  test('a read-only database', sqliteOnly, async (t) => {
    const shop = await stoppedShop(t);
    chmodSync(shop.file, 0o400);
    await shop.refuses(/must be writable/, { wrap: asOwner });
    chmodSync(shop.file, 0o600);
    await servesAgain(shop);
  });

  test('a read-only log', sqliteOnly, async (t) => {
    const shop = await startShop(t);
    await shop.makeAdmin();
    await shop.kill();
    chmodSync(`${shop.file}-wal`, 0o400);
    await shop.refuses(/must be writable/, { wrap: asOwner });
    chmodSync(`${shop.file}-wal`, 0o600);
    await servesAgain(shop);
  });

  test('a database in a read-only folder', sqliteOnly, async (t) => {
    const shop = await stoppedShop(t);
    chmodSync(shop.dir, 0o500);
    await shop.refuses(/must be writable|folder/, { wrap: asOwner });
    chmodSync(shop.dir, 0o700);
    await servesAgain(shop);
  });

  test('a database in a folder that is not there', sqliteOnly, async (t) => {
    const shop = await stoppedShop(t);
    await shop.refuses(/folder must exist/, {
      settings: { database: `sqlite:${join(shop.dir, 'none', 'shop.db')}` },
    });
    await servesAgain(shop);
  });

  test('a folder instead of a database', sqliteOnly, async (t) => {
    const shop = await stoppedShop(t);
    await shop.refuses(/database_cannot_open/, { settings: { database: `sqlite:${shop.dir}` } });
    await servesAgain(shop);
  });

  test('garbage instead of a database', sqliteOnly, async (t) => {
    const shop = await stoppedShop(t);
    const file = join(shop.dir, 'garbage.db');
    const bytes = Buffer.from(Array.from({ length: 20000 }, (_, i) => (i * 7919) % 256));
    writeFileSync(file, bytes);
    const settings = { database: `sqlite:${file}` };
    await shop.refuses(/no SQLite database/, { settings });
    assert.deepEqual(readFileSync(file), bytes, 'and is left as it was');
    await servesAgain(shop);
  });

  test('half a database', sqliteOnly, async (t) => {
    const shop = await stoppedShop(t);
    const file = join(shop.dir, 'half.db');
    copyFileSync(shop.file, file);
    truncateSync(file, Math.floor(statSync(file).size / 8192) * 4096);
    await shop.refuses(/is damaged/, { settings: { database: `sqlite:${file}` } });
    await servesAgain(shop);
  });

  test('the database of another program', sqliteOnly, async (t) => {
    const shop = await stoppedShop(t);
    const other = new Shop({ dir: shop.dir,
      settings: { database: `sqlite:${join(shop.dir, 'other.db')}` } });
    await other.query('CREATE TABLE users (name TEXT); INSERT INTO users VALUES (\'somebody\')');
    await other.refuses(/migration_failed/);
    assert.equal(await other.query('SELECT name FROM users'), 'somebody');
    assert.equal(await other.query('SELECT name FROM sqlite_schema'), 'users');
  });

  test('a database of a newer version', async (t) => {
    const shop = await stoppedShop(t);
    await shop.query("INSERT INTO schema_migrations VALUES (999, 'later', 0)");
    await shop.refuses(/database_newer.*newer servery/);
    await shop.query('DELETE FROM schema_migrations WHERE version = 999');
    await servesAgain(shop);
  });

  test('a key that others may read', async (t) => {
    const shop = await stoppedShop(t);
    const { secret_file: file } = shop.settings;
    for (const mode of [0o640, 0o604, 0o620, 0o602]) {
      chmodSync(file, mode);
      await shop.refuses(/chmod 600/);
    }
    chmodSync(file, 0o600);
    await servesAgain(shop);
  });

  test('a key that is none', async (t) => {
    const shop = await stoppedShop(t);
    const file = join(shop.dir, 'other.key');
    const settings = { secret_file: file };
    for (const size of [0, 31, 33]) {
      writeFileSync(file, Buffer.alloc(size), { mode: 0o600 });
      await shop.refuses(/exactly 32 bytes/, { settings });
      assert.equal(statSync(file).size, size, 'and is left as it was');
    }
    await shop.refuses(/secret_file \(from flag\)/, { settings: { secret_file: shop.dir }, exit: 2 });
    const inside = { settings: { secret_file: join(shop.dir, 'folder', 'key') }, wrap: asOwner };
    await shop.refuses(/secret_file \(from flag\)/, { ...inside, exit: 2 });
    mkdirSync(join(shop.dir, 'folder'), { mode: 0o500 });
    await shop.refuses(/secret_file_refused/, inside);
    await servesAgain(shop);
  });
});
