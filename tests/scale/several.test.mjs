// Three servers of one shop, asked directly: whatever one of them does, the others know.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client, openStream } from '../lib/client.mjs';
import { ADMIN, HANG_MS, Server } from '../lib/server.mjs';
import { PASSWORD, addFood, fillCart, logIn, move, order, place, signUp, simulate, unique }
  from '../lib/shop.mjs';
import { endFleet, startFleet } from './fleet.mjs';
import { createDatabase, sql, startCluster } from './postgres.mjs';

/* The way of the servers' ears to the database, which can be cut and held. */
async function startRelay(t, port) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    if (relay.isCut) {
      socket.destroy();
      return;
    }
    const far = net.connect(port, '127.0.0.1');
    for (const [one, other] of [[socket, far], [far, socket]]) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => { sockets.delete(one); other.destroy(); });
      one.pipe(other);
    }
  });
  const relay = {
    isCut: false,
    cut() {
      relay.isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() { relay.isCut = false; },
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { relay.cut(); server.close(); });
  relay.port = server.address().port;
  return relay;
}

/* What other servers learn they learn soon, and nobody can say when: asks until it is so. */
async function until(what, ask) {
  const end = Date.now() + HANG_MS;
  for (;;) {
    const found = await ask();
    if (found) return found;
    assert.ok(Date.now() < end, `${what}: not within ${HANG_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/* The same customer at another server. */
const at = (server, client) => Object.assign(new Client(server, { token: client.token }),
  { user: client.user, password: client.password });

const eventsPath = (placed) => `/api/orders/${placed.id}/events`;
const BOARD = '/api/admin/orders/events';

const foodAt = (server, food) =>
  new Client(server).get(`/api/foods/${food.id}`, { expect: 'any' });

// The `to` of an order's events as its stream gives them, up to this one; each once and in order.
async function statuses(stream, last) {
  const seen = [];
  let id = 0;
  while (seen.at(-1) !== last) {
    const event = await stream.next();
    assert.ok(event, `the stream ended after ${seen}`);
    assert.ok(event.id > id, `${event.id} came after ${id}`);
    id = event.id;
    seen.push(event.data.to);
  }
  return seen;
}

/* By an event of its own, or by a resync, which stands for all that was before it: another listener
 * may have come back only now. */
async function untilBoardSays(board, admin, placed, status) {
  for (;;) {
    const { event, data } = await board.next();
    if (event === 'status' && data.order_id === placed.id && data.to === status) return;
    if (event === 'resync' && (await admin.get(`/api/orders/${placed.id}`)).body.status === status)
      return;
  }
}

async function begin(t) {
  const cluster = await startCluster(t);
  const url = await createDatabase(cluster);
  const relay = await startRelay(t, cluster.port);
  const listenUrl = Object.assign(new URL(url), { port: relay.port }).href;
  const fleet = await startFleet(t, url,
    { settings: { auth_rate_per_minute: 0, database_listen: listenUrl } });
  for (const server of fleet.servers) {
    // As a shop of its own to lib/shop.mjs: all mails leave by one mail server.
    Object.defineProperty(server, 'mails', { get: () => fleet.smtp.messages.map(
      ({ envelope, text }) => ({ to: envelope.to[0], text })), set() {} });
    server.otp = async (email, nth = 1) => {
      const match = ({ to }) => to === email;
      await until(`mail ${nth} to ${email}`, () => server.mails.filter(match).length >= nth);
      return server.mails.filter(match)[nth - 1].text.match(/^(\d{6})$/m)[1];
    };
  }
  return { ...fleet, cluster, url, relay };
}

test('several servers', async (t) => {
  const shop = await begin(t);
  const [a, b, c] = shop.servers;
  const admin = await logIn(a, ADMIN.email, ADMIN.password);
  const food = await addFood(admin, { price: 100 });

  await t.test('an OTP that one asked for is verified on another', async () => {
    const email = `${unique()}@example.org`;
    const { body } = await new Client(a).post('/api/signup', { email, password: PASSWORD },
      { expect: 201 });
    await new Client(b).post('/api/resend-otp', { signup_token: body.signup_token },
      { expect: 'otp_cooldown' });
    const otp = await a.otp(email);
    const wrong = otp === '000000' ? '000001' : '000000';
    for (const [i, server] of [a, b, c, a].entries()) {
      const { body: problem } = await new Client(server).post('/api/verify-otp',
        { signup_token: body.signup_token, otp: wrong }, { expect: 'otp_invalid' });
      assert.equal(problem.attempts_left, 4 - i);
    }
    const { body: done } = await new Client(c).post('/api/verify-otp',
      { signup_token: body.signup_token, otp }, { expect: 200 });
    assert.equal(done.user.email, email);
    await new Client(b, { token: done.token }).get('/api/me');
  });

  await t.test('wrong codes are counted over all', async () => {
    const email = `${unique()}@example.org`;
    const { body } = await new Client(a).post('/api/signup', { email, password: PASSWORD },
      { expect: 201 });
    const otp = await a.otp(email);
    const wrong = otp === '000000' ? '000001' : '000000';
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) =>
      new Client(shop.servers[i % 3]).post('/api/verify-otp',
        { signup_token: body.signup_token, otp: wrong }, { expect: 'any' })));
    const codes = answers.map((answer) => answer.body.code).sort();
    assert.deepEqual(codes, [...Array(5).fill('otp_invalid'), ...Array(7).fill('otp_locked')]);
  });

  await t.test('wrong passwords are counted over all', async () => {
    const client = await signUp(a);
    const answers = await Promise.all(Array.from({ length: 13 }, (_, i) =>
      new Client(shop.servers[i % 3]).post('/api/login',
        { identifier: client.user.email, password: 'none of his' }, { expect: 'any' })));
    const codes = answers.map((answer) => answer.body.code).sort();
    assert.deepEqual(codes,
      [...Array(10).fill('invalid_credentials'), ...Array(3).fill('rate_limited')]);
    for (const server of shop.servers)
      await new Client(server).post('/api/login',
        { identifier: client.user.email, password: PASSWORD }, { expect: 'rate_limited' });
  });

  await t.test("an order's stream and the board show what is done elsewhere", async () => {
    const client = await signUp(a);
    const board = await openStream(at(c, admin), BOARD);
    await board.firstId();
    const placed = await order(client, [food]);
    const stream = await openStream(client, eventsPath(placed));
    for (const [server, status] of
      [[b, 'confirmed'], [c, 'preparing'], [a, 'ready'], [b, 'completed']])
      await move(at(server, admin), placed, status);
    assert.deepEqual(await statuses(stream, 'completed'),
      ['pending', 'confirmed', 'preparing', 'ready', 'completed']);
    const seen = new Set();
    while (seen.size < 5) {
      const { event, data } = await board.next();
      assert.equal(event, 'status');
      if (data.order_id === placed.id) seen.add(data.to);
      assert.ok(data.order.version >= 1);
    }
    for (const open of [stream, board]) open.close();
  });

  await t.test('many orders on all at once: each stream has all of its own', async () => {
    const board = await openStream(at(c, admin), BOARD);
    await board.firstId();
    const all = await Promise.all(Array.from({ length: 9 }, async (_, i) => {
      const client = await signUp(shop.servers[i % 3]);
      const placed = await order(client, [food]);
      const home = shop.servers[(i + 1) % 3];
      return { placed, stream: await openStream(at(home, client), eventsPath(placed)) };
    }));
    for (const status of ['confirmed', 'preparing', 'ready', 'completed'])
      await Promise.all(all.map(({ placed }, i) =>
        move(at(shop.servers[(i + status.length) % 3], admin), placed, status)));
    for (const { stream } of all) {
      assert.deepEqual(await statuses(stream, 'completed'),
        ['pending', 'confirmed', 'preparing', 'ready', 'completed']);
      stream.close();
    }
    const told = new Set();
    while (told.size < 5 * all.length) {
      const { event, id, data } = await board.next();
      if (event === 'status' && all.some(({ placed }) => placed.id === data.order_id)) told.add(id);
    }
    board.close();
  });

  await t.test('the menu of all follows', async () => {
    const made = await addFood(at(a, admin), { price: 100 });
    for (const server of [b, c])
      await until('the new food', async () => (await foodAt(server, made)).status === 200);
    await at(b, admin).put(`/api/foods/${made.id}`, { price: 250, version: made.version });
    for (const server of [a, c])
      await until('the new price', async () => (await foodAt(server, made)).body.price === 250);
    await at(c, admin).delete(`/api/foods/${made.id}`);
    for (const server of [a, b])
      await until('the food gone', async () => (await foodAt(server, made)).status === 404);
  });

  await t.test('the last units are sold once', async () => {
    const last = await addFood(at(a, admin), { price: 100, stock: 2 });
    const clients = await Promise.all(Array.from({ length: 6 }, (_, i) =>
      signUp(shop.servers[i % 3])));
    for (const client of clients) await fillCart(client, last);
    const answers = await Promise.all(clients.map((client) =>
      client.post('/api/orders', { fulfilment: 'pickup' }, { expect: 'any' })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [402, 402, 409, 409, 409, 409]);
    for (const server of shop.servers)
      await until('sold out', async () => (await foodAt(server, last)).body.stock === 0);
    const winner = answers.findIndex(({ status }) => status === 402);
    const elsewhere = shop.servers[(winner + 1) % 3];
    await simulate(elsewhere, answers[winner].body.payment);
    const { body } = await at(elsewhere, clients[winner]).post('/api/orders',
      { payment_id: answers[winner].body.payment.id }, { expect: 200 });
    assert.equal(body.items[0].food_id, last.id);
  });

  await t.test('a session that ends on one ends on all, with its streams', async () => {
    const ends = {
      logout: (client) => at(b, client).post('/api/logout'),
      disable: (client) => at(b, admin).put(`/api/admin/users/${client.user.id}`, { disabled: true }),
      role: (client) => at(c, admin).put(`/api/admin/users/${client.user.id}`, { role: 'admin' }),
      password: async (client) => (await logIn(c, client.user.email)).put('/api/me/password',
        { current_password: client.password, new_password: `${client.password} new` }),
    };
    for (const [name, end] of Object.entries(ends)) {
      const client = await signUp(a);
      const placed = await order(client, [food]);
      const streams = await Promise.all(shop.servers.map((server) =>
        openStream(at(server, client), eventsPath(placed))));
      await end(client);
      for (const server of shop.servers) {
        await at(server, client).get('/api/me', { expect: 401 });
        await at(server, client).put(`/api/cart/items/${food.id}`, { quantity: 1 }, { expect: 401 });
      }
      for (const stream of streams) await stream.untilEnded();
      if (name === 'role')
        await admin.put(`/api/admin/users/${client.user.id}`, { role: 'user' });
    }
  });

  await t.test('of two last admins who step down at once one stays', async () => {
    for (let round = 0; round < 5; round++) {
      await b.makeAdmin('other@example.com', PASSWORD);
      const first = await logIn(a, ADMIN.email, ADMIN.password);
      const other = await logIn(c, 'other@example.com', PASSWORD);
      const answers = await Promise.all([first, other].map((client) =>
        client.put(`/api/admin/users/${client.user.id}`, { role: 'user' }, { expect: 'any' })));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409]);
      const stayed = answers[0].status === 409 ? first : other;
      await at(b, stayed).get('/api/admin/users');
      await a.makeAdmin(); // and ends all sessions of his
    }
    admin.token = (await logIn(a, ADMIN.email, ADMIN.password)).token;
  });

  await t.test('what was not heard while nobody listened is made up for', async () => {
    const client = await signUp(a);
    const placed = await order(client, [food]);
    const stream = await openStream(at(b, client), eventsPath(placed));
    assert.deepEqual(await statuses(stream, 'pending'), ['pending']);
    const board = await openStream(at(b, admin), BOARD);
    await board.firstId();

    shop.relay.cut();
    await until('nobody listening', async () => await sql(shop.url, `SELECT count(*) FROM
      pg_stat_activity WHERE application_name = 'servery listen'`) === '0');
    const { body: edited } = await at(a, admin).put(`/api/foods/${food.id}`, { price: 175 });
    for (const status of ['confirmed', 'preparing']) await move(at(c, admin), placed, status);
    assert.equal((await foodAt(b, food)).body.price, 100, 'it cannot have heard of it');
    shop.relay.mend();

    await until('the price', async () => (await foodAt(b, food)).body.price === edited.price);
    assert.deepEqual(await statuses(stream, 'preparing'), ['confirmed', 'preparing']);
    for (let event; (event = await board.next()).event !== 'resync';)
      assert.equal(event.event, 'status');
    for (const status of ['ready', 'completed']) await move(at(c, admin), placed, status);
    assert.deepEqual(await statuses(stream, 'completed'), ['ready', 'completed']);
    await untilBoardSays(board, at(b, admin), placed, 'completed');
    for (const open of [stream, board]) open.close();
  });

  await t.test('a listener whose connection the database ends listens again', async () => {
    const client = await signUp(a);
    const placed = await order(client, [food]);
    const streams = await Promise.all(shop.servers.map((server) =>
      openStream(at(server, client), eventsPath(placed))));
    const boards = await Promise.all(shop.servers.map((server) =>
      openStream(at(server, admin), BOARD)));
    for (const board of boards) await board.firstId();
    await sql(shop.url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'servery listen'`);
    await at(a, admin).put(`/api/foods/${food.id}`, { price: 190 });
    await move(at(a, admin), placed, 'confirmed');
    await move(at(b, admin), placed, 'cancelled');
    for (const server of shop.servers)
      await until('the price', async () => (await foodAt(server, food)).body.price === 190);
    for (const stream of streams)
      assert.deepEqual(await statuses(stream, 'cancelled'), ['pending', 'confirmed', 'cancelled']);
    for (const board of boards)
      while ((await board.next()).event !== 'resync');
    for (const open of [...streams, ...boards]) open.close();
  });

  await t.test('one with another secret is refused at its start', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'servery-other-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const stranger = new Server({ mode: 'serve', dir,
      settings: { ...a.settings, listen: '127.0.0.1:0', secret_file: join(dir, 'servery.key') } });
    await assert.rejects(stranger.start(), /is not the secret that this shop's data were made with/);
  });

  await t.test('each mail went out once', async () => {
    const emails = await Promise.all(Array.from({ length: 24 }, async (_, i) => {
      const email = `${unique('many')}@example.org`;
      await new Client(shop.servers[i % 3]).post('/api/signup', { email, password: PASSWORD },
        { expect: 201 });
      return email;
    }));
    for (const email of emails) await a.otp(email);
    await until('nothing waiting', async () =>
      await sql(shop.url, "SELECT count(*) FROM outbox WHERE status = 'waiting'") === '0');
    await endFleet(shop);
    const ids = shop.smtp.messages.map((message) => message.messageId);
    assert.ok(ids.length >= emails.length);
    assert.equal(new Set(ids).size, ids.length);
  });
});
