// Accounts: sign-up, codes, log-in, sessions, passwords, referrals.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { sql } from '../lib/database.mjs';
import { HANG_MS, startServer } from '../lib/server.mjs';
import { startSmtp } from '../lib/smtp.mjs';
import { PASSWORD, logIn, logInAdmin, signUp, unique } from '../lib/shop.mjs';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
let server;
let anyone;

// A proxy is trusted, so that a test can come from another address.
before(async () => {
  server = await startServer({ clock: true, settings: { trusted_proxies: '127.0.0.1' } });
  anyone = new Client(server);
});
after(() => server.stop());

const newEmail = () => `${unique()}@example.org`;
const from = (address, expect) => ({ headers: { 'x-forwarded-for': address }, expect });

async function pending(members = {}, options = { expect: 201 }) {
  const email = members.email ?? newEmail();
  const { body } = await anyone.post('/api/signup', { password: PASSWORD, ...members, email },
    options);
  server.secrets.add(body.signup_token);
  return { ...body, email };
}

/* How many mails were written to them, sent or not: they leave when they can. */
const mailsTo = async (...emails) => Number(await sql(server.settings.database,
  `SELECT count(*) FROM outbox WHERE recipient IN (${emails.map((email) => `'${email}'`)})`));

const verify = (signup, otp, expect) =>
  anyone.post('/api/verify-otp', { signup_token: signup.signup_token, otp }, { expect });
const resend = (signup, expect) =>
  anyone.post('/api/resend-otp', { signup_token: signup.signup_token }, { expect });
// A code that is certainly another one.
const wrong = (otp) => String((Number(otp) + 1) % 1000000).padStart(6, '0');

/* ---- Sign-up ---- */

test('accounts: a sign-up becomes a user by its code', async () => {
  const email = newEmail();
  const signup = await pending({ email, name: 'Zoë 🍲', phone: '0803 111-0001' });
  assert.equal(signup.email, email);
  const life = new Date(signup.otp.expires_at) - server.clock.now();
  assert.ok(life > 5 * MINUTE - 10 * SECOND && life <= 5 * MINUTE, `a code lives ${life} ms`);
  const wait = new Date(signup.otp.resend_at) - server.clock.now();
  assert.ok(wait > MINUTE - 10 * SECOND && wait <= MINUTE, `another one in ${wait} ms`);

  const { body, headers } = await verify(signup, await server.otp(email), 200);
  assert.equal(body.user.email, email);
  assert.equal(body.user.name, 'Zoë 🍲');
  assert.equal(body.user.phone, '+2348031110001');
  assert.equal(body.user.role, 'user');
  assert.equal(body.user.disabled, false);
  const session = new Date(body.expires_at) - server.clock.now();
  assert.ok(Math.abs(session - 30 * DAY) < MINUTE);
  const [cookie] = headers['set-cookie'];
  assert.match(cookie, new RegExp(`^servery_session=${body.token}; `));
  assert.match(cookie, /HttpOnly/);
  assert.match(cookie, /SameSite=Lax/);
  assert.doesNotMatch(cookie, /Secure/);

  const { body: me } = await new Client(server, { token: body.token }).get('/api/me');
  assert.deepEqual(me, body.user);
});

test('accounts: no account before the code, and none without', async () => {
  const admin = await logInAdmin(server);
  const signup = await pending();
  const { body } = await admin.get(`/api/admin/users?q=${encodeURIComponent(signup.email)}`);
  assert.deepEqual(body.items, []);
});

test('accounts: all that is wrong with a sign-up is told at once', async () => {
  const { body } = await anyone.post('/api/signup',
    { email: 'no address', password: 'short', phone: '12', referral_code: '!' }, { expect: 422 });
  assert.deepEqual(body.errors.map((row) => [row.field, row.code]), [
    ['email', 'email_invalid'], ['password', 'password_too_short'], ['phone', 'phone_invalid'],
    ['referral_code', 'referral_code_invalid']]);
});

test('accounts: a password has 8 characters to 1,024 bytes', async () => {
  const attempt = (password, expect) =>
    anyone.post('/api/signup', { email: newEmail(), password }, { expect });
  await attempt('1234567', 'password_too_short');
  await attempt('12345678', 201);
  await attempt('🍲🍲🍲🍲🍲🍲🍲', 'password_too_short');
  await attempt('🍲🍲🍲🍲🍲🍲🍲🍲', 201);
  await attempt('x'.repeat(1024), 201);
  await attempt('x'.repeat(1025), 'password_too_long');
  await attempt(`${'x'.repeat(1021)}🍲`, 'password_too_long');
});

test('accounts: a name has 100 characters at most', async () => {
  await pending({ name: '🍲'.repeat(100) });
  await pending({ name: '🍲'.repeat(101) }, { expect: 'too_long' });
});

test('accounts: taken emails and phones are refused, however they are written', async () => {
  const email = newEmail();
  await signUp(server, { email, phone: '0803 111 0002' });
  await pending({ email: email.toUpperCase() }, { expect: 'email_taken' });
  await pending({ phone: '+234-803-111-0002' }, { expect: 'phone_taken' });
  await pending({ phone: '00234 803 111 0002' }, { expect: 'phone_taken' });
});

test('accounts: refusals come in the order 422, 409, 429', async () => {
  const email = newEmail();
  await signUp(server, { email });
  await pending({ email, password: 'short' }, { expect: 'password_too_short' });
  await pending({ email, referral_code: 'ZZZZZZZZ' }, { expect: 'referral_code_invalid' });
  await pending({ email }, { expect: 'email_taken' });
  const waiting = newEmail();
  await pending({ email: waiting });
  await pending({ email: waiting, phone: 'x' }, { expect: 'phone_invalid' });
  const answer = await anyone.post('/api/signup', { email: waiting, password: PASSWORD },
    { expect: 'otp_cooldown' });
  assert.ok(+answer.headers['retry-after'] > 50 && +answer.headers['retry-after'] <= 60);
});

test('accounts: pending sign-ups block nobody; the first to verify wins', async () => {
  const email = newEmail();
  const phone = '0803 111 0003';
  // Two mails may overtake each other: whose code it is tells only the one that is there.
  const first = await pending({ email, phone }, from('192.0.2.1', 201));
  const codes = [await server.otp(email)];
  const second = await pending({ email, phone }, from('192.0.2.2', 201));
  codes.push(await server.otp(email, 2));
  await verify(first, codes[1] === codes[0] ? wrong(codes[0]) : codes[1], 'otp_invalid');
  await verify(second, codes[1], 200);
  const { body } = await verify(first, codes[0], 409);
  assert.deepEqual(body.errors.map((row) => row.code), ['email_taken', 'phone_taken']);
});

test('accounts: one telephone is taken once, also with the national 0 behind the code', async () => {
  const { user } = await signUp(server, { phone: '+234 0803 111 0011' });
  assert.equal(user.phone, '+2348031110011');
  for (const phone of ['0803 111 0011', '+234 803 111 0011', '+234 0803 111 0011',
    '00234 0803 111 0011'])
    await pending({ phone }, { expect: 'phone_taken' });
  assert.equal((await logIn(server, '00234 0803 111 0011')).user.id, user.id);
});

/* ---- Codes ---- */

test('accounts: a code dies after five wrong tries', async () => {
  const signup = await pending();
  const otp = await server.otp(signup.email);
  for (const left of [4, 3, 2, 1, 0]) {
    const { body } = await verify(signup, wrong(otp), 'otp_invalid');
    assert.equal(body.attempts_left, left);
  }
  await verify(signup, otp, 'otp_locked');
  await verify(signup, wrong(otp), 'otp_locked');
  server.clock.advance(61 * SECOND);
  await resend(signup, 200);
  await verify(signup, await server.otp(signup.email, 2), 200);
});

test('accounts: the fifth try may still be the right one', async () => {
  const signup = await pending();
  const otp = await server.otp(signup.email);
  for (let i = 0; i < 4; i++) await verify(signup, wrong(otp), 'otp_invalid');
  await verify(signup, otp, 200);
});

test('accounts: a code works once', async () => {
  const signup = await pending();
  const otp = await server.otp(signup.email);
  await verify(signup, otp, 200);
  await verify(signup, otp, 404);
});

test('accounts: a code works for 5 minutes and not longer', async () => {
  const early = await pending();
  const late = await pending();
  const [earlyCode, lateCode] = [await server.otp(early.email), await server.otp(late.email)];
  server.clock.advance(4 * MINUTE);
  await verify(early, earlyCode, 200);
  server.clock.advance(MINUTE + SECOND);
  await verify(late, lateCode, 'otp_expired');
});

test('accounts: another code after a minute, and the first is void', async () => {
  const signup = await pending();
  const first = await server.otp(signup.email);
  const { body, headers } = await resend(signup, 'otp_cooldown');
  assert.ok(+headers['retry-after'] <= 60);
  assert.equal(body.otp.resend_at, signup.otp.resend_at);
  server.clock.advance(61 * SECOND);
  await resend(signup, 200);
  const second = await server.otp(signup.email, 2);
  if (first !== second) await verify(signup, first, 'otp_invalid');
  await verify(signup, second, 200);
});

test('accounts: no code is mailed again for an email or phone taken meanwhile', async () => {
  const email = newEmail();
  const phone = '0803 111 0012';
  const byEmail = await pending({ email });
  const byPhone = await pending({ phone });
  for (const signup of [byEmail, byPhone]) await server.otp(signup.email);
  const winner = await pending({ email, phone }, from('192.0.2.12', 201));
  await verify(winner, await server.otp(email, 2), 200);
  const mails = await mailsTo(email, byPhone.email);
  await resend(byEmail, 'email_taken');
  await resend(byPhone, 'phone_taken');
  server.clock.advance(61 * SECOND);
  await resend(byEmail, 'email_taken');
  const { body } = await resend(byPhone, 409);
  assert.deepEqual(body.errors.map((row) => [row.field, row.code]), [['phone', 'phone_taken']]);
  assert.equal(await mailsTo(email, byPhone.email), mails);
});

test('accounts: 5 codes an hour to one email from one address', async () => {
  const signup = await pending({}, from('192.0.2.9', 201));
  const again = (expect) => anyone.post('/api/resend-otp', { signup_token: signup.signup_token },
    from('192.0.2.9', expect));
  for (let i = 1; i < 5; i++) {
    server.clock.advance(61 * SECOND);
    await again(200);
  }
  server.clock.advance(61 * SECOND);
  const { headers } = await again('otp_cooldown');
  assert.ok(+headers['retry-after'] > 50 * 60, 'the next one an hour after the first');
  server.clock.advance(55 * MINUTE);
  await again(200);
});

test('accounts: 20 codes an hour to one email from anywhere', async () => {
  const email = newEmail();
  for (let i = 0; i < 20; i++)
    await pending({ email }, from(`198.51.100.${i + 1}`, 201));
  await pending({ email }, from('198.51.100.99', 'otp_cooldown'));
  server.clock.advance(HOUR + SECOND);
  await pending({ email }, from('198.51.100.99', 201));
});

test('accounts: addresses are told apart behind a zero byte too', async () => {
  const email = newEmail();
  await pending({ email }, from('10.0.0.1', 201));
  await pending({ email }, from('10.0.0.2', 201));
  await pending({ email }, from('2001:db8::1', 201));
  await pending({ email }, from('2001:db8:0:1::1', 201));
  await pending({ email }, from('2001:db8:0:1::2', 'otp_cooldown')); // the same /64
});

test('accounts: the code reaches a real mail server, also when it says 451 first', async () => {
  const smtp = await startSmtp({ fail451Times: 1 });
  const mailing = await startServer({ clock: true,
    settings: { mail: smtp.url, mail_from: 'The Shop <shop@example.com>' } });
  try {
    const email = newEmail();
    const { body } = await new Client(mailing).post('/api/signup', { email, password: PASSWORD },
      { expect: 201 });
    await mailing.waitFor(() => mailing.log.find((line) => /mail/.test(line.event)), HANG_MS,
      'a line about the mail that was not taken');
    mailing.clock.advance(2 * MINUTE);
    const mail = await smtp.waitFor((m) => m.envelope.to.includes(email));
    const [otp] = mail.text.match(/\b\d{6}\b/);
    mailing.secrets.add(otp);
    await new Client(mailing).post('/api/verify-otp', { signup_token: body.signup_token, otp },
      { expect: 200 });
    assert.ok(mail.html.includes(otp));
    assert.equal(mail.from.value[0].address, 'shop@example.com');
    assert.ok(smtp.seen.rcpts >= 2);
  } finally {
    await mailing.stop();
    await smtp.close();
  }
});

/* ---- Log-in ---- */

test('accounts: log-in by email in any case and by phone in any form', async () => {
  const { user } = await signUp(server, { phone: '0803 111 0004' });
  for (const identifier of [user.email, user.email.toUpperCase(), ` ${user.email} `,
    '+2348031110004', '0803 111 0004', '00234-803-111-0004'])
    assert.equal((await logIn(server, identifier)).user.id, user.id);
});

test('accounts: an unknown user and a wrong password get the same words', async () => {
  const { user } = await signUp(server);
  const ask = async (identifier, password) => {
    const { body, headers } = await anyone.post('/api/login', { identifier, password },
      { expect: 'invalid_credentials' });
    const { request_id: _, ...rest } = body;
    return { rest, names: Object.keys(headers).sort() };
  };
  const known = await ask(user.email, 'not the password');
  assert.deepEqual(await ask(newEmail(), 'not the password'), known);
  assert.deepEqual(await ask('0803 999 9999', 'not the password'), known);
  assert.deepEqual(await ask('nobody at all', 'not the password'), known);
  assert.deepEqual(await ask(user.email, ''), known);
});

test('accounts: an unverified log-in is told so after the right password only', async () => {
  const signup = await pending({ phone: '0803 111 0005' });
  const ask = (identifier, password, expect) =>
    anyone.post('/api/login', { identifier, password }, { expect });
  await ask(signup.email, 'not the password', 'invalid_credentials');
  await ask(signup.email, PASSWORD, 'account_not_verified');
  await ask('0803 111 0005', PASSWORD, 'account_not_verified');
});

test('accounts: 10 wrong passwords a minute, then 429; successes are not counted', async () => {
  const { user } = await signUp(server);
  for (let i = 0; i < 12; i++) await logIn(server, user.email);
  const attempt = (password, expect) =>
    anyone.post('/api/login', { identifier: user.email, password }, { expect });
  for (let i = 0; i < 10; i++) await attempt(`wrong ${i}`, 'invalid_credentials');
  const { headers } = await attempt('wrong again', 'rate_limited');
  assert.ok(+headers['retry-after'] >= 1 && +headers['retry-after'] <= 60);
  await attempt(PASSWORD, 'rate_limited');
  await anyone.post('/api/login', { identifier: user.email, password: PASSWORD },
    from('203.0.113.7', 200));
  server.clock.advance(61 * SECOND);
  await attempt(PASSWORD, 200);
});

test('accounts: one address has 60 wrong passwords a minute, whomever it tries', async () => {
  const { user } = await signUp(server);
  const attempt = (address, identifier, password, expect) => anyone.post('/api/login',
    { identifier, password }, { headers: { 'x-forwarded-for': address }, expect });
  const good = (address, expect) => attempt(address, user.email, PASSWORD, expect);
  const spray = (address, expect) => attempt(address, newEmail(), 'Summer2024!', expect);
  const [address, neighbour, other] = ['2001:db8:60::1', '2001:db8:60::ffff', '2001:db8:60:1::1'];

  // All at once: those compared side by side count as well. What the short queue has no room for is
  // 503 and was not compared.
  const answers = await Promise.all(Array.from({ length: 150 }, () => spray(address, 'any')));
  let wrong = answers.filter((answer) => answer.status === 401).length;
  assert.ok(wrong <= 60, `${wrong} were compared`);
  for (const { status } of answers) assert.ok([401, 429, 503].includes(status), `${status}`);
  // Hashes take their time, which is not to be the minute's.
  for (const now = server.clock.now(); wrong < 60; wrong++) {
    await good(address, 200); // a success neither counts nor is refused
    await spray(address, 'invalid_credentials');
    server.clock.advance(now - server.clock.now());
  }
  const { headers } = await spray(address, 'rate_limited');
  assert.ok(+headers['retry-after'] >= 1 && +headers['retry-after'] <= 60);
  await good(address, 'rate_limited');
  await good(neighbour, 'rate_limited'); // the same /64
  await good(other, 200);
  server.clock.advance(61 * SECOND);
  await good(address, 200);
});

test('accounts: a disabled user hears it after the right password only', async () => {
  const admin = await logInAdmin(server);
  const client = await signUp(server);
  await admin.put(`/api/admin/users/${client.user.id}`, { disabled: true });
  await client.get('/api/me', { expect: 401 });
  const ask = (password, expect) =>
    anyone.post('/api/login', { identifier: client.user.email, password }, { expect });
  await ask('not the password', 'invalid_credentials');
  await ask(PASSWORD, 'account_disabled');
  await admin.put(`/api/admin/users/${client.user.id}`, { disabled: false });
  await ask(PASSWORD, 200);
});

/* ---- Sessions ---- */

test('accounts: log-out ends this session and no other', async () => {
  const one = await signUp(server);
  const other = await logIn(server, one.user.email);
  const { headers } = await one.post('/api/logout', undefined, { expect: 204 });
  assert.match(headers['set-cookie'][0], /^servery_session=; .*Max-Age=0/);
  await one.get('/api/me', { expect: 'unauthenticated' });
  await one.post('/api/logout', undefined, { expect: 401 });
  await other.get('/api/me', { expect: 200 });
});

test('accounts: no token, an unknown one, another scheme', async () => {
  await anyone.get('/api/me', { expect: 'unauthenticated' });
  const { token, user } = await signUp(server);
  for (const authorization of ['Bearer nonsense', 'Bearer', `Basic ${token}`, `Bearer ${token}x`,
    token])
    await anyone.get('/api/me', { headers: { authorization }, expect: 'unauthenticated' });
  // The scheme is compared without case, and an empty header counts as none.
  await anyone.get('/api/me', { headers: { authorization: `bearer ${token}` }, expect: 200 });
  const cookie = `other=1; servery_session=${token}`;
  const { body } = await anyone.get('/api/me', { headers: { authorization: '', cookie } });
  assert.equal(body.id, user.id);
});

test('accounts: a session lives 30 days from its last use', async () => {
  const client = await signUp(server);
  server.clock.advance(29 * DAY);
  await client.get('/api/me', { expect: 200 });
  server.clock.advance(29 * DAY);
  const cookie = new Client(server, { cookie: `servery_session=${client.token}` });
  const { headers } = await cookie.get('/api/me', { expect: 200 });
  assert.match(headers['set-cookie'][0], /Max-Age=2592000/, 'the cookie slides with it');
  server.clock.advance(30 * DAY + MINUTE);
  await client.get('/api/me', { expect: 'unauthenticated' });
});

test('accounts: under https the cookie is Secure and __Host-prefixed', async () => {
  const secure = await startServer({ settings: { public_url: 'https://shop.test' } });
  try {
    const client = await signUp(secure);
    const { headers } = await new Client(secure).post('/api/login',
      { identifier: client.user.email, password: PASSWORD });
    assert.match(headers['set-cookie'][0], /^__Host-servery_session=[^;]+; Path=\/;/);
    assert.match(headers['set-cookie'][0], /; Secure/);
    assert.doesNotMatch(headers['set-cookie'][0], /Domain/);
    assert.match(headers['strict-transport-security'], /max-age=/);
    const named = (name) => new Client(secure, { cookie: `${name}=${client.token}` });
    await named('__Host-servery_session').get('/api/me', { expect: 200 });
    await named('servery_session').get('/api/me', { expect: 401 });
  } finally {
    await secure.stop();
  }
});

/* ---- Me ---- */

test('accounts: a user changes his name and phone, and only them', async () => {
  const client = await signUp(server, { name: 'Before', phone: '0803 111 0006' });
  assert.equal((await client.put('/api/me', { name: 'After' })).body.name, 'After');
  const { body } = await client.put('/api/me', { phone: null });
  assert.deepEqual([body.name, body.phone], ['After', null]);
  assert.equal((await client.put('/api/me', {})).body.name, 'After');
  assert.equal((await client.put('/api/me', { name: null })).body.name, null);
  await signUp(server, { phone: '0803 111 0007' });
  await client.put('/api/me', { phone: '08031110007' }, { expect: 'phone_taken' });
  await client.put('/api/me', { phone: 'x' }, { expect: 'phone_invalid' });
  await client.put('/api/me', { name: 'x'.repeat(101) }, { expect: 'too_long' });
  await client.put('/api/me', { name: 'a\u0007b' }, { expect: 'control_character' });
  for (const member of ['email', 'role', 'disabled', 'id'])
    await client.put('/api/me', { [member]: 'x' }, { expect: 'unknown_field' });
});

test('accounts: a new password ends every other session', async () => {
  const one = await signUp(server);
  const other = await logIn(server, one.user.email);
  const next = `${PASSWORD} new`;
  server.secrets.add(next);
  const change = (members, expect) => one.put('/api/me/password',
    { current_password: PASSWORD, new_password: next, ...members }, { expect });
  await change({ current_password: 'not it' }, 'password_wrong');
  await change({ new_password: 'short' }, 'password_too_short');
  await change({ new_password: 'x'.repeat(1025) }, 'password_too_long');
  await other.get('/api/me', { expect: 200 });
  await change({}, 204);
  await one.get('/api/me', { expect: 200 });
  await other.get('/api/me', { expect: 401 });
  await anyone.post('/api/login', { identifier: one.user.email, password: PASSWORD },
    { expect: 401 });
  await logIn(server, one.user.email, next);
});

test('accounts: a reset link works once within 30 minutes', async () => {
  const client = await signUp(server);
  const { email } = client.user;
  const ask = () => anyone.post('/api/password-reset', { email }, { expect: 202 });
  const link = async (nth) => {
    const token = (await server.mail(email, /http:\/\/shop\.test\/reset#token=(\S+)/, nth))[1];
    server.secrets.add(token);
    return token;
  };
  const confirm = (token, expect, password = `${PASSWORD} reset`) => anyone.post(
    '/api/password-reset/confirm', { token, new_password: password }, { expect });
  server.secrets.add(`${PASSWORD} reset`);

  await ask();
  const token = await link(1);
  await confirm(token, 'password_too_short', 'short');
  await confirm(token, 204);
  await client.get('/api/me', { expect: 401 });
  await confirm(token, 'token_expired');
  await logIn(server, email, `${PASSWORD} reset`);

  server.clock.advance(2 * MINUTE);
  await ask();
  const late = await link(2);
  server.clock.advance(30 * MINUTE + SECOND);
  await confirm(late, 'token_expired');
  await confirm('unknown', 'token_expired');
});

test('accounts: a reset answers the same for nobody, and mails nobody', async () => {
  const client = await signUp(server);
  const known = await anyone.post('/api/password-reset', { email: client.user.email });
  const nobody = newEmail();
  const unknown = await anyone.post('/api/password-reset', { email: nobody });
  assert.equal(unknown.status, 202);
  assert.equal(unknown.text, known.text);
  await server.mail(client.user.email, /reset#token/);
  assert.equal(await mailsTo(nobody), 0);
  await anyone.post('/api/password-reset', { email: 'no address' }, { expect: 'email_invalid' });
});

/* ---- Referrals ---- */

test('accounts: a referral counts once the new account verifies', async () => {
  const host = await signUp(server);
  const code = host.user.referral_code;
  await pending({ referral_code: code });
  assert.equal((await host.get('/api/me/referrals')).body.count, 0);
  for (const name of ['One', 'Two', 'Three'])
    await signUp(server, { name, referral_code: ` ${code.toLowerCase().slice(0, 4)}-${code.slice(4)}` });
  const { body } = await host.get('/api/me/referrals?limit=2');
  assert.equal(body.referral_code, code);
  assert.equal(body.count, 3);
  assert.deepEqual(body.items.map((item) => item.name), ['Three', 'Two']);
  const { body: rest } = await host.get(`/api/me/referrals?limit=2&cursor=${body.next_cursor}`);
  assert.deepEqual(rest.items.map((item) => item.name), ['One']);
  assert.equal(rest.next_cursor, null);
});
