// mail_send against a real SMTP server: what arrives, and what becomes of it when it cannot.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { run } from '../lib/build.mjs';
import { makeCert } from '../lib/certs.mjs';
import { freePort } from '../lib/ports.mjs';
import { startSmtp } from '../lib/smtp.mjs';

const auth = { user: 'shop@example.com', pass: 'p@ss:w/rd? #%;ü' };
let tls;

before(() => { tls = makeCert(); });
after(() => tls.remove());

// Runs the probe and reads its lines as {outcome, code, error}, the first one's also on top.
async function send(mail, args = {}) {
  const values = {
    mail, ca_file: tls.certFile, from: 'The Shop <shop@example.com>', to: 'ann@example.org',
    subject: 'Your code', text: 'It is 123456.\n', ...args,
  };
  const pairs = Object.entries(values).filter(([, value]) => value !== null);
  const { code, stdout, stderr, ms } =
    await run('tests/net/mail_probe', pairs.map(([name, value]) => `${name}=${value}`));
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  const lines = stdout.trimEnd().split('\n').map((line) => {
    const [, outcome, number, error] = /^(\w+) (\d+) ?(.*)$/.exec(line);
    return { outcome, code: Number(number), error };
  });
  return { ...lines[0], lines, ms };
}

async function withSmtp(t, options) {
  const smtp = await startSmtp({ tls, ...options });
  t.after(() => smtp.close());
  return smtp;
}

test('STARTTLS with a password full of special characters', async (t) => {
  const smtp = await withSmtp(t, { starttls: true, auth });
  const result = await send(smtp.url);
  assert.deepEqual([result.outcome, result.code, result.error], ['sent', 250, '']);
  assert.equal(smtp.messages.length, 1);
  const [mail] = smtp.messages;
  assert.equal(mail.secure, true);
  assert.equal(mail.user, auth.user);
  assert.deepEqual(mail.envelope, { from: 'shop@example.com', to: ['ann@example.org'] });
});

test('smtps', async (t) => {
  const smtp = await withSmtp(t, { secure: true, auth });
  assert.equal((await send(smtp.url)).outcome, 'sent');
  assert.equal(smtp.messages[0].secure, true);
});

test('smtp+plain, without and with a password', async (t) => {
  const open = await withSmtp(t, {});
  assert.equal((await send(open.url)).outcome, 'sent');
  assert.equal(open.messages[0].secure, false);
  const closed = await withSmtp(t, { auth });
  assert.equal((await send(closed.url)).outcome, 'sent');
  assert.equal(closed.messages[0].user, auth.user);
  assert.equal((await send(`smtp+plain://127.0.0.1:${closed.port}`)).outcome, 'retry');
  assert.equal(closed.messages.length, 1);
});

test('no STARTTLS offered: nothing is sent', async (t) => {
  const smtp = await withSmtp(t, { auth });
  const result = await send(smtp.url.replace('smtp+plain:', 'smtp:'));
  assert.equal(result.outcome, 'retry');
  assert.match(result.error, /offers no STARTTLS, nothing was sent/);
  assert.deepEqual(smtp.seen, { connections: 1, auths: 0, froms: 0, rcpts: 0 });
});

test('wrong password: retry, and the log never shows it', async (t) => {
  const wrong = 'hunter2-is-wrong';
  for (const refuseText of ['bad credentials', `bad credentials ${wrong}`]) {
    const smtp = await withSmtp(t, { starttls: true, auth, refuseText });
    const result = await send(`smtp://shop:${wrong}@127.0.0.1:${smtp.port}`);
    assert.deepEqual([result.outcome, result.code], ['retry', 535]);
    assert.match(result.error, refuseText === 'bad credentials'
      ? /refuses user or password.*; the server says: 535 .*bad credentials$/
      : /refuses user or password of the setting mail$/);
    assert.ok(!result.error.includes(wrong), result.error);
    assert.equal(smtp.seen.froms, 0);
  }
});

test('451 then accepted', async (t) => {
  const smtp = await withSmtp(t, { starttls: true, auth, fail451Times: 1 });
  const first = await send(smtp.url);
  assert.deepEqual([first.outcome, first.code], ['retry', 451]);
  assert.match(first.error, /451 .*try again later/);
  assert.equal(smtp.messages.length, 0);
  assert.equal((await send(smtp.url)).outcome, 'sent');
  assert.equal(smtp.messages.length, 1);
});

test('5xx for the recipient or the message: refused', async (t) => {
  const refused = [{ refuse: 550 }, { refuse: 599 }, { refuseData: 554 }];
  for (const options of refused) {
    const smtp = await withSmtp(t,
      { starttls: true, auth, refuseText: 'no such user', ...options });
    const result = await send(smtp.url);
    assert.deepEqual([result.outcome, result.code], ['refused', Object.values(options)[0]]);
    assert.match(result.error, /the server says: 5\d\d .*no such user/);
    assert.equal(smtp.messages.length, 0);
  }
});

test('4xx for the message, and 5xx about the sender or the server: retry', async (t) => {
  const later = [{ refuseData: 452 }, { refuse: 450 }, { refuseFrom: 550 }, { refuse: 530 },
    { refuseConnect: 554 }];
  for (const options of later) {
    const smtp = await withSmtp(t, { starttls: true, auth, ...options });
    const result = await send(smtp.url);
    assert.deepEqual([result.outcome, result.code], ['retry', Object.values(options)[0]],
      JSON.stringify(options));
    assert.match(result.error, /refused by the test/);
  }
});

test('a slow server: retry after the timeout', async (t) => {
  const smtp = await withSmtp(t, { starttls: true, auth, delayMs: 20000 });
  const result = await send(smtp.url, { timeout_ms: 1000 });
  assert.deepEqual([result.outcome, result.code], ['retry', 0]);
  assert.match(result.error, /timed out|timeout/i);
  assert.ok(result.ms >= 1000 && result.ms < 10000, `${result.ms}`);
});

test('connection refused: retry', async () => {
  const result = await send(`smtp://127.0.0.1:${await freePort()}`);
  assert.deepEqual([result.outcome, result.code], ['retry', 0]);
  assert.match(result.error, /refused|connect/i);
});

test('a certificate not trusted, or of another host: retry, no password said', async (t) => {
  const other = makeCert('DNS:mail.example.com');
  t.after(() => other.remove());
  for (const scheme of ['starttls', 'secure']) {
    const cases = [[tls, null], [tls, other.certFile], [other, other.certFile]];
    for (const [serverTls, caFile] of cases) {
      const smtp = await withSmtp(t, { tls: serverTls, [scheme]: true, auth });
      const result = await send(smtp.url, { ca_file: caFile });
      assert.equal(result.outcome, 'retry');
      assert.match(result.error, /certificate|subject/i);
      assert.equal(smtp.seen.auths, 0);
      assert.equal(smtp.messages.length, 0);
    }
  }
});

test('names, subject, text and HTML of every alphabet arrive as they were', async (t) => {
  const smtp = await withSmtp(t, { starttls: true, auth });
  const words = {
    name: 'Trattoria "Àncora" — مطعم النخيل 🍕',
    subject: 'Ваш код — קוד האימות שלך — 您的验证码 — 👩‍👩‍👧‍👦'.repeat(8),
    text: 'Grüße!\n.\n..dots = signs\n' + 'long '.repeat(400) + '\nשלום \t \n🍕🍕🍕\n',
    html: '<p dir="rtl">مرحبا &amp; <b>123456</b> = €5</p>\n' + '<i>ü</i>'.repeat(300),
  };
  const before = Date.now();
  const result = await send(smtp.url, {
    from: `${words.name} <shop@example.com>`, subject: words.subject, text: words.text,
    html: words.html, id: 'outbox-42',
  });
  assert.equal(result.outcome, 'sent', result.error);
  const [mail] = smtp.messages;
  assert.deepEqual(mail.from.value, [{ address: 'shop@example.com', name: words.name }]);
  assert.deepEqual(mail.to.value, [{ address: 'ann@example.org', name: '' }]);
  assert.equal(mail.subject, words.subject);
  assert.equal(mail.text.trimEnd(), words.text.trimEnd());
  assert.equal(mail.html.trimEnd(), words.html.trimEnd());
  assert.equal(mail.messageId, '<outbox-42@example.com>');
  assert.ok(mail.date.getTime() >= before - 1000 && mail.date.getTime() <= Date.now());
  assert.equal(mail.headers.get('auto-submitted'), 'auto-generated');
  assert.equal(mail.headers.get('mime-version'), '1.0');
  assert.equal(mail.headers.get('content-type').value, 'multipart/alternative');
});

test('the raw mail is 7 bit, its lines short and ended by CRLF', async (t) => {
  const smtp = await withSmtp(t, {});
  await send(smtp.url, {
    subject: 'é'.repeat(400), text: 'é\n'.repeat(10) + 'x'.repeat(5000), html: '🍕'.repeat(500),
  });
  const { raw } = smtp.messages[0];
  assert.match(raw, /^[\r\n\t -~]*$/);
  assert.doesNotMatch(raw, /[^\r]\n|\r[^\n]|=0[AD]/); // lines of the text are lines of the mail
  // libcurl's own header with the boundary does not fold.
  const lines = raw.split('\r\n').filter((line) => !line.startsWith('Content-Type: multipart/'));
  assert.deepEqual(lines.filter((line) => line.length > 78), []);
  for (const name of ['From', 'To', 'Subject', 'Date', 'Message-ID', 'MIME-Version', 'Content-Type',
    'Auto-Submitted'])
    assert.equal(raw.split('\r\n\r\n')[0].match(new RegExp(`^${name}:`, 'gmi')).length, 1, name);
});

test('plain ASCII stays readable, and every mail has its own Message-ID', async (t) => {
  const smtp = await withSmtp(t, {});
  await send(smtp.url);
  await send(smtp.url);
  const ids = smtp.messages.map((mail) => mail.messageId);
  assert.match(ids[0], /^<[A-Za-z0-9_-]{43}@example\.com>$/);
  assert.notEqual(ids[0], ids[1]);
  assert.match(smtp.messages[0].raw, /^Subject: Your code\r$/m);
  assert.match(smtp.messages[0].raw, /^From: "The Shop" <shop@example\.com>\r$/m);
  assert.equal(smtp.messages[0].html, false);
});

test('line breaks in a header are refused before a connection', async (t) => {
  const smtp = await withSmtp(t, {});
  const attempts = [
    { subject: 'x\r\nBcc: eve@example.net' }, { subject: 'x\nBcc: eve@example.net' },
    { to: 'ann@example.org>\r\nRCPT TO:<eve@example.net' }, { to: 'ann@example.org> SIZE=1' },
    { to: 'ann@example.org,eve@example.net' }, { to: '' },
  ];
  for (const attempt of attempts) {
    const result = await send(smtp.url, attempt);
    assert.deepEqual([result.outcome, result.code], ['refused', 0], JSON.stringify(attempt));
  }
  assert.equal(smtp.seen.connections, 0);
});

test('an international address is delivered', async (t) => {
  const smtp = await withSmtp(t, {});
  const result = await send(smtp.url, { to: 'jürgen@bücher.example' });
  assert.equal(result.outcome, 'sent', result.error);
  assert.match(smtp.messages[0].envelope.to[0], /^jürgen@/);
});

test('many threads at once', async (t) => {
  const smtp = await withSmtp(t, { starttls: true, auth });
  const { lines } = await send(smtp.url, { threads: 16 });
  assert.deepEqual(lines.map((line) => line.outcome), Array(16).fill('sent'));
  assert.equal(new Set(smtp.messages.map((mail) => mail.messageId)).size, 16);
});

test('log: headers and text on standard output', async () => {
  const { stdout } = await run('tests/net/mail_probe', ['mail=log', 'from=Büro <shop@example.com>',
    'to=ann@example.org', 'subject=Ваш код', 'text=It is 123456.', 'html=<p>no</p>']);
  const [mail, rest] = stdout.split(/\n\n(?=sent)/);
  assert.match(mail, /^Date: [^\n]*\n/);
  assert.equal(mail.slice(mail.indexOf('\n') + 1), 'From: Büro <shop@example.com>\n'
    + 'To: <ann@example.org>\nSubject: Ваш код\n\nIt is 123456.');
  assert.equal(rest, 'sent 0 \n');
});
