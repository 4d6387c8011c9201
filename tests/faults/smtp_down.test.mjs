// A mail server that is away, refuses for now, or hangs: the shop goes on, and the mail arrives
// when it can, but no code that has expired.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, test } from 'node:test';
import { addFood, fillCart, logInAdmin, place, simulate, collect } from '../lib/shop.mjs';
import { Client } from '../lib/client.mjs';
import { freePort } from '../lib/ports.mjs';
import { HANG_MS } from '../lib/server.mjs';
import { startSmtp } from '../lib/smtp.mjs';
import { Shop } from './shop.mjs';
import { codeIn } from './workers.mjs';

const PASSWORD = 'a long password';
const OTP_MS = 5 * 60 * 1000;

async function startShop(t, port, options) {
  const shop = new Shop({ mail: `smtp+plain://127.0.0.1:${port}`, ...options });
  t.after(() => shop.remove());
  return shop.start();
}

async function signUp(shop, email) {
  const { body } = await new Client(shop).post('/api/signup', { email, password: PASSWORD },
    { expect: 201 });
  return body.signup_token;
}

async function verify(shop, token, mail) {
  const { body } = await new Client(shop).post('/api/verify-otp',
    { signup_token: token, otp: codeIn(mail) }, { expect: 200 });
  return new Client(shop, { token: body.token });
}

function failedAttempt(shop) {
  return shop.waitFor(() => shop.log.find((line) => line.event === 'mail_retried'), HANG_MS,
    'a failed attempt');
}

const to = (email) => ({ envelope }) => envelope.to.includes(email);

// From the menu to a paid order that the kitchen takes.
async function orderAndConfirm(shop, customer, admin) {
  const food = await addFood(admin);
  await fillCart(customer, food);
  const payment = await place(customer);
  await simulate(shop, payment);
  const order = await collect(customer, payment);
  await admin.put(`/api/orders/${order.id}/status`, { status: 'confirmed' }, { expect: 200 });
}

const BODY_GONE = 'CASE WHEN body IS NULL THEN 1 ELSE 0 END';

// They wait more than they work, so they do it at the same time.
describe('mail', { concurrency: true }, () => {
  test('mail is down, then comes back', async (t) => {
    const port = await freePort();
    const shop = await startShop(t, port);
    await shop.makeAdmin();
    const admin = await logInAdmin(shop);
    const token = await signUp(shop, 'early@example.com');
    await failedAttempt(shop);
    // An admin is a customer whom no mail is needed to make.
    await orderAndConfirm(shop, admin, admin);

    const smtp = await startSmtp({ port });
    t.after(() => smtp.close());
    const mail = await smtp.waitFor(to('early@example.com'));
    const customer = await verify(shop, token, mail);
    await orderAndConfirm(shop, customer, admin);
    await shop.end();
    await shop.checkData();
    assert.equal(await shop.query(`SELECT status, ${BODY_GONE} FROM outbox`), 'sent|1');
    assert.equal(smtp.messages.length, 1, 'and once only');
  });

  test('mail is refused for now, then taken', async (t) => {
    const smtp = await startSmtp({ fail451Times: 1 });
    t.after(() => smtp.close());
    const shop = await startShop(t, smtp.port);
    const token = await signUp(shop, 'early@example.com');
    const mail = await smtp.waitFor(to('early@example.com'));
    await verify(shop, token, mail);
    assert.equal(smtp.seen.rcpts, 2);
    await shop.end();
    const retried = shop.log.filter((line) => line.event === 'mail_retried');
    assert.deepEqual(retried.map(({ code, attempts }) => [code, attempts]), [[451, 1]]);
  });

  test('mail waits through a restart', async (t) => {
    const port = await freePort();
    const shop = await startShop(t, port);
    const token = await signUp(shop, 'early@example.com');
    await failedAttempt(shop);
    await shop.end();
    const smtp = await startSmtp({ port });
    t.after(() => smtp.close());
    await shop.start();
    await verify(shop, token, await smtp.waitFor(to('early@example.com')));
    await shop.end();
  });

  test('a code that has expired is not sent late', async (t) => {
    const port = await freePort();
    const shop = await startShop(t, port, { clock: true });
    const early = await signUp(shop, 'early@example.com');
    await failedAttempt(shop);
    shop.clock.advance(OTP_MS + 1000);
    const smtp = await startSmtp({ port });
    t.after(() => smtp.close());
    // The next mail wakes the sender, who looks at all that is due.
    const late = await signUp(shop, 'late@example.com');
    await verify(shop, late, await smtp.waitFor(to('late@example.com')));
    const expired = await shop.waitFor(() => shop.log.find((line) => line.event === 'mail_expired'),
      HANG_MS, 'an expired mail');
    assert.equal(expired.count, 1);
    await shop.end();
    assert.equal(await shop.query(`SELECT recipient, status, ${BODY_GONE} FROM outbox ORDER BY id`),
      'early@example.com|expired|1\nlate@example.com|sent|1');
    assert.deepEqual(smtp.messages.filter(to('early@example.com')), []);
    await shop.start();
    await new Client(shop).post('/api/verify-otp', { signup_token: early, otp: '000000' },
      { expect: 410 });
    await shop.end();
  });

  test('a mail server that hangs', async (t) => {
    const sockets = [];
    const hanging = net.createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(hanging, 'listening');
    const { port } = hanging.address();
    t.after(() => {
      hanging.close();
      for (const socket of sockets) socket.destroy();
    });
    const shop = await startShop(t, port);
    await shop.makeAdmin();
    const admin = await logInAdmin(shop);
    // More than there are senders.
    const connected = once(hanging, 'connection');
    for (const i of [1, 2, 3, 4]) await signUp(shop, `hanging-${i}@example.com`);
    await connected;
    await orderAndConfirm(shop, admin, admin);

    await shop.end();
    assert.ok(shop.log.some((line) => line.event === 'mail_left_unsent'), 'it waited for them');
    await shop.checkData();
    assert.equal(await shop.query("SELECT count(*) FROM outbox WHERE status = 'waiting'"), '4');
  });
});
