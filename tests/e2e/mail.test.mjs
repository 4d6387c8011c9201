// The code's way by real mail: the server, libcurl, TLS, a mail server, and back into the sign-up.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeCert } from '../lib/certs.mjs';
import { Client } from '../lib/client.mjs';
import { HANG_MS, startServer } from '../lib/server.mjs';
import { PASSWORD, unique } from '../lib/shop.mjs';
import { startSmtp } from '../lib/smtp.mjs';

const tls = makeCert();
after(() => tls.remove());
const auth = { user: 'shop@example.org', pass: 'a mail:password/with@all' };
const login = `${encodeURIComponent(auth.user)}:${encodeURIComponent(auth.pass)}`;

async function signUpByMail({ smtp, scheme, settings = {}, secure }) {
  const server = await startServer({
    mode: 'serve',
    settings: {
      mail: `${scheme}://${login}@localhost:${smtp.port}`,
      mail_from: 'Mama Ngozi’s Küche <shop@example.org>',
      ...settings,
    },
  });
  server.secrets.add(auth.pass);
  server.secrets.add(encodeURIComponent(auth.pass));
  try {
    const email = `${unique('mail')}@example.org`;
    const anyone = new Client(server);
    const { body } = await anyone.post('/api/signup', { email, password: PASSWORD, name: 'Zoë' },
      { expect: 201 });
    const message = await smtp.waitFor((mail) => mail.envelope.to.includes(email));
    assert.equal(message.secure, secure);
    assert.equal(message.user, auth.user);
    assert.equal(message.from.value[0].name, 'Mama Ngozi’s Küche');
    assert.equal(message.from.value[0].address, 'shop@example.org');
    const code = message.text.match(/\b\d{6}\b/)[0];
    assert.ok(message.html.includes(code));
    assert.ok(!message.subject.includes(code), 'a subject is read on locked screens');
    server.secrets.add(code);
    await anyone.post('/api/verify-otp', { signup_token: body.signup_token, otp: code },
      { expect: 200 });
  } finally {
    await server.stop();
    await smtp.close();
  }
}

test('sign-up with a code mailed by STARTTLS and AUTH', async () => {
  const smtp = await startSmtp({ tls, starttls: true, auth });
  await signUpByMail({
    smtp, scheme: 'smtp', secure: true, settings: { mail_ca_file: tls.certFile } });
});

test('sign-up with a code mailed by smtps', async () => {
  const smtp = await startSmtp({ tls, secure: true, auth });
  await signUpByMail({
    smtp, scheme: 'smtps', secure: true, settings: { mail_ca_file: tls.certFile } });
});

test('sign-up with a code mailed without TLS, where that is asked for', async () => {
  const smtp = await startSmtp({ auth });
  await signUpByMail({ smtp, scheme: 'smtp+plain', secure: false });
});

test('a mail server that will not do TLS hears neither password nor mail, and the log says why',
  async () => {
    const smtp = await startSmtp({ auth });
    const server = await startServer({
      mode: 'serve',
      settings: { mail: `smtp://${login}@localhost:${smtp.port}`, mail_from: 'shop@example.org' },
    });
    try {
      await new Client(server).post('/api/signup',
        { email: `${unique('mail')}@example.org`, password: PASSWORD }, { expect: 201 });
      const line = await server.waitFor(
        () => server.log.find((entry) => /^mail_/.test(entry.event)), HANG_MS, 'a line about the mail');
      assert.match(JSON.stringify(line), /TLS/i);
      assert.equal(smtp.seen.auths, 0);
      assert.equal(smtp.seen.froms, 0);
    } finally {
      await server.stop();
      await smtp.close();
    }
  });
