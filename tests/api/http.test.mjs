// HTTP itself: methods, framing, slow and oversized requests, headers, compression, limits.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Client, RawConnection, checkRaw, exchange, sendRaw, splitAnswers } from '../lib/client.mjs';
import { description } from '../lib/openapi.mjs';
import { HANG_MS, PUBLIC_URL, startServer } from '../lib/server.mjs';
import { addFood, logInAdmin, signUp } from '../lib/shop.mjs';

let server;
let anyone;
let admin;
let user;

before(async () => {
  server = await startServer();
  anyone = new Client(server);
  admin = await logInAdmin(server);
  user = await signUp(server);
});
after(() => server.stop());

const lines = (...all) => `${all.join('\r\n')}\r\n\r\n`;
const HEALTH = lines('GET /healthz HTTP/1.1', 'Host: x');

/* ---- Methods and paths ---- */

test('http: HEAD is GET without the body', async () => {
  for (const path of ['/api/foods', '/api/shop', '/api/openapi.json', '/', '/healthz', '/api/me',
    '/api/foods/999999', '/nothing/here']) {
    const get = await user.get(path, { expect: 'any' });
    const head = await user.call('HEAD', path, undefined, { expect: get.status });
    assert.equal(head.text, '');
    for (const name of ['content-type', 'content-length', 'etag', 'cache-control'])
      assert.equal(head.headers[name], get.headers[name], `${path}: ${name}`);
  }
  // On one connection nothing of it is left over for the next answer.
  const text = await RawConnection.open(server).then((connection) => connection.write(
    lines('HEAD /api/foods HTTP/1.1', 'Host: x') +
    lines('GET /healthz HTTP/1.1', 'Host: x', 'Connection: close')).untilClosed());
  assert.match(text.split('\r\n\r\n')[1], /^HTTP\/1\.1 200 /);
});

test('http: 405 with Allow for every other method on every path', async () => {
  for (const template of Object.keys(description.paths)) {
    const path = template.replace('{id}', '1').replace('{name}', 'nothing.css');
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'])
      if (!description.paths[template][method.toLowerCase()])
        await admin.call(method, path, undefined, { expect: 405 });
  }
});

test('http: paths that are not there, however they are written', async () => {
  const dots = ['/api/../api/foods', '/api/./foods', '/api/foods/..', '/..', '/../../etc/passwd',
    '/assets/../../etc/passwd', '/assets/..%2f..%2fetc%2fpasswd', '/assets/%2e%2e/x', '/%2e%2e',
    '/api/foods/%2e%2e', '/assets/..', '/assets/.', '/assets/'];
  const nul = ['/api/foods%00', '/api/foods/1%00', '/%00', '/assets/nothing.css%00.html',
    '/api/foods/%00'];
  const odd = ['/api', '/api/', '/api/foods/', '//api/foods', '/api//foods', '/API/foods',
    '/api/%66oods', '/api/foods;x', '/api/foods/1/2', '/dev', '/metrics/x', '/api/fööds',
    `/${'x'.repeat(5000)}`, '/api/foods/%zz', '/api/foods%', '/*', '/api/foods/1/price/2'];
  for (const path of [...dots, ...nul, ...odd]) {
    const [answer] = await sendRaw(server,
      Buffer.from(lines(`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: close')).toString('latin1'));
    assert.equal(answer.status, 404, path);
    checkRaw(answer, 'GET', path);
  }
});

test('http: bytes in a target that must be escaped', async () => {
  for (const path of ['/api/foods?q=\x01', '/api/foods?q=\x7f', '/api/foods#part', '/a b', '\x00/']) {
    const [answer] = await sendRaw(server, lines(`GET ${path} HTTP/1.1`, 'Host: x'));
    assert.equal(answer?.status, 400, JSON.stringify(path));
  }
});

test('http: a body where none is read', async () => {
  for (const path of ['/api/foods', '/api/me', '/healthz', '/'])
    await user.call('GET', path, undefined, { raw: '{}', expect: 'body_too_large' });
});

/* ---- Framing ---- */

test('http: what leaves a doubt where a request ends is refused, and the connection closed',
  async () => {
    const post = (...headers) =>
      `${lines('POST /api/login HTTP/1.1', 'Host: x', 'Content-Type: application/json', ...headers)}`;
    const smuggled = lines('GET /healthz HTTP/1.1', 'Host: x');
    const requests = {
      'Transfer-Encoding with Content-Length':
        `${post('Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n${smuggled}`,
      'another Transfer-Encoding': `${post('Transfer-Encoding: xchunked')}${smuggled}`,
      'two Transfer-Encodings': `${post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
      'a coding before chunked': `${post('Transfer-Encoding: gzip, chunked')}0\r\n\r\n`,
      'two Content-Lengths': `${post('Content-Length: 2', 'Content-Length: 0')}{}${smuggled}`,
      'a list of Content-Lengths': `${post('Content-Length: 2, 2')}{}`,
      'a signed Content-Length': `${post('Content-Length: +2')}{}`,
      'a negative Content-Length': `${post('Content-Length: -1')}{}`,
      'a hexadecimal Content-Length': `${post('Content-Length: 0x2')}{}`,
      'an empty Content-Length': `${post('Content-Length:')}{}`,
      'two Hosts': lines('GET /healthz HTTP/1.1', 'Host: x', 'Host: y'),
      'no Host': lines('GET /healthz HTTP/1.1'),
      'a space before the colon': lines('GET /healthz HTTP/1.1', 'Host: x', 'Content-Length : 0'),
      'a header name that is none': lines('GET /healthz HTTP/1.1', 'Host: x', 'a(b: c'),
      'an empty header name': lines('GET /healthz HTTP/1.1', 'Host: x', ': c'),
      'a line without a colon': lines('GET /healthz HTTP/1.1', 'Host: x', 'nonsense'),
      'a continued line': lines('GET /healthz HTTP/1.1', 'Host: x', 'A: b', ' c'),
      'a NUL in a header': lines('GET /healthz HTTP/1.1', 'Host: x', 'A: b\0c'),
      'a bare CR in a header': lines('GET /healthz HTTP/1.1', 'Host: x', 'A: b\rc'),
      'a control character in a header': lines('GET /healthz HTTP/1.1', 'Host: x', 'A: b\x01c'),
      'HTTP/2.0': lines('GET /healthz HTTP/2.0', 'Host: x'),
      'HTTP/0.9': 'GET /healthz\r\n\r\n',
      'no HTTP at all': 'hello\r\n\r\n',
      'a TLS handshake': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
    };
    for (const [name, bytes] of Object.entries(requests)) {
      const answers = await sendRaw(server, bytes);
      assert.deepEqual(answers.map((answer) => answer.status), [400], name);
    }
    await anyone.get('/healthz');
  });

test('http: the guard says what is wrong', async () => {
  const [answer] = await sendRaw(server, lines('POST /api/login HTTP/1.1', 'Host: x',
    'Content-Length: 2', 'Content-Length: 3') + '{}');
  const { body, headers } = checkRaw(answer, 'POST', '/api/login');
  assert.equal(body.code, 'malformed_request');
  assert.match(body.detail, /Content-Length/);
  assert.equal(headers.connection, 'close');
});

test('http: chunked bodies', async () => {
  const send = async (chunks, ...headers) => {
    const [answer] = await sendRaw(server, `${lines('PUT /api/me HTTP/1.1', 'Host: x',
      `Authorization: Bearer ${user.token}`, 'Content-Type: application/json',
      'Transfer-Encoding: chunked', 'Connection: close', ...headers)}${chunks}`);
    return checkRaw(answer, 'PUT', '/api/me');
  };
  const { body } = await send('8\r\n{"name":\r\n3\r\n"C"\r\n1\r\n}\r\n0\r\n\r\n');
  assert.equal(body.name, 'C');
  const { body: trailed } = await send('c\r\n{"name":"D"}\r\n0\r\nTrailer: x\r\n\r\n');
  assert.equal(trailed.name, 'D');
  const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`;
  assert.equal((await send(`${chunk.repeat(4)}1\r\n \r\n0\r\n\r\n`)).status, 413);
  for (const broken of ['x\r\n{}\r\n0\r\n\r\n', '-1\r\n{}\r\n0\r\n\r\n', 'ffffffffffffffffff\r\n',
    '5\r\n{"name":"E"}\r\n0\r\n\r\n',
    // Legal but unheard of, and read in different ways: refused.
    'c;x=y\r\n{"name":"E"}\r\n0\r\n\r\n']) {
    const answers = await sendRaw(server, `${lines('PUT /api/me HTTP/1.1', 'Host: x',
      `Authorization: Bearer ${user.token}`, 'Content-Type: application/json',
      'Transfer-Encoding: chunked')}${broken}`);
    assert.ok(answers.every((answer) => answer.status >= 400 && answer.status < 500), broken);
  }
  assert.equal((await user.get('/api/me')).body.name, 'D');
});

test('http: a false Content-Length does nothing', async () => {
  const before = (await user.get('/api/me')).body;
  const head = (length) => lines('PUT /api/me HTTP/1.1', 'Host: x',
    `Authorization: Bearer ${user.token}`, 'Content-Type: application/json',
    `Content-Length: ${length}`);
  // Too long: the client leaves before the rest.
  const long = await RawConnection.open(server);
  long.write(`${head(100)}{"name":"Long"}`);
  long.socket.end();
  await long.untilClosed();
  // Too short: half an object, and the rest is no request.
  const answers = await sendRaw(server, `${head(5)}{"name":"Short"}\r\n\r\n`);
  assert.deepEqual(answers.map((answer) => answer.status), [400, 400]);
  assert.deepEqual((await user.get('/api/me')).body, before);
});

test('http: bodies beyond what any call takes', async () => {
  const { status } = await exchange(server, { method: 'PUT', path: '/api/me', body: ' '.repeat(3e6),
    headers: { authorization: `Bearer ${user.token}`, 'content-type': 'application/json' } });
  assert.equal(status, 413);
  await anyone.get('/healthz');
});

test('http: headers of 100 KB', async () => {
  for (const bytes of [lines('GET /healthz HTTP/1.1', 'Host: x', `A: ${'x'.repeat(100_000)}`),
    lines('GET /healthz HTTP/1.1', 'Host: x', ...Array(2000).fill(`A: ${'x'.repeat(50)}`)),
    lines(`GET /${'x'.repeat(100_000)} HTTP/1.1`, 'Host: x'),
    `GET /healthz HTTP/1.1\r\nHost: x\r\n${'A'.repeat(100_000)}`]) {
    const connection = await RawConnection.open(server);
    connection.write(bytes);
    const [answer] = splitAnswers(await connection.untilClosed());
    assert.ok(!answer || (answer.status >= 400 && answer.status < 500), answer?.status);
  }
  await anyone.get('/healthz', { headers: { a: 'x'.repeat(10_000) }, expect: 200 });
});

test('http: slow requests are cut off after 10 seconds, the second one of a connection too',
  async () => {
    const started = performance.now();
    const login = lines('POST /api/login HTTP/1.1', 'Host: x', 'Content-Type: application/json',
      'Content-Length: 50');
    const half = HEALTH.slice(0, -10);
    const slow = async (first, bytes) => {
      const connection = await RawConnection.open(server);
      if (first) {
        connection.write(HEALTH);
        await connection.answer(1);
      }
      connection.write(bytes);
      // A byte now and then does not help.
      const drip = setInterval(() => connection.write('x'), 1000);
      try {
        await connection.untilClosed();
      } finally {
        clearInterval(drip);
        connection.destroy();
      }
      const answers = splitAnswers(connection.text).slice(first ? 1 : 0);
      assert.ok(answers.every((answer) => answer.status >= 400 && answer.status < 500));
      const seconds = (performance.now() - started) / 1000;
      assert.ok(seconds > 9, `cut off after ${seconds} s`);
    };
    await Promise.all([slow(false, half), slow(true, half), slow(false, login), slow(true, login),
      slow(false, 'G'), slow(true, 'G'),
      slow(false, login.replace('50', '99999999999999999999'))]);
    await anyone.get('/healthz');
  });

test('http: slow clients do not stop the others', async () => {
  const slow = await Promise.all(Array.from({ length: 200 }, async () =>
    (await RawConnection.open(server)).write('POST /api/login HTTP/1.1\r\nHost: x\r\n')));
  for (let i = 0; i < 20; i++) await user.get('/api/cart');
  // None of them had to be cut off before.
  assert.ok(slow.every((connection) => !connection.closed));
  for (const connection of slow) connection.destroy();
});

test('http: pipelined requests are answered in order', async () => {
  const connection = await RawConnection.open(server);
  connection.write(lines('GET /api/shop HTTP/1.1', 'Host: x') +
    lines('GET /api/me HTTP/1.1', 'Host: x', `Authorization: Bearer ${user.token}`) + HEALTH +
    lines('GET /nothing HTTP/1.1', 'Host: x', 'Connection: close'));
  const answers = splitAnswers(await connection.untilClosed());
  assert.deepEqual(answers.map((answer) => answer.status), [200, 200, 200, 404]);
  assert.equal(JSON.parse(answers[1].text).id, user.user.id);
  assert.deepEqual(JSON.parse(answers[2].text), { status: 'ok' });
});

test('http: a request in single bytes, and one with bare line feeds', async () => {
  const connection = await RawConnection.open(server);
  connection.socket.setNoDelay(true);
  for (const byte of HEALTH) {
    connection.write(byte);
    await new Promise((resolve) => { setImmediate(resolve); });
  }
  assert.equal((await connection.answer(1)).status, 200);
  connection.write(HEALTH);
  assert.equal((await connection.answer(2)).status, 200);
  connection.destroy();
});

test('http: HTTP/1.0 without a Host', async () => {
  const [answer] = await sendRaw(server, 'GET /healthz HTTP/1.0\r\n\r\n');
  assert.equal(answer.status, 200);
});

test('http: Expect: 100-continue', async () => {
  const connection = await RawConnection.open(server);
  connection.write(lines('POST /api/login HTTP/1.1', 'Host: x', 'Content-Type: application/json',
    'Content-Length: 2', 'Expect: 100-continue', 'Connection: close'));
  await connection.until('100 Continue');
  connection.write('{}');
  const text = await connection.untilClosed();
  assert.match(text, /HTTP\/1\.1 422 /);
});

/* ---- Answers ---- */

test('http: gzip for JSON over 1 KB, for who takes it', async () => {
  for (let i = 0; i < 10; i++) await addFood(admin, { description: 'Tasty. '.repeat(20) });
  for (const path of ['/api/foods', '/api/foods?limit=50', '/api/openapi.json', '/errors']) {
    const plain = await anyone.get(path);
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.match(plain.headers.vary ?? '', /accept-encoding/i);
    for (const accepted of ['gzip', 'deflate, gzip;q=0.5', '*', 'GZIP']) {
      const { headers, raw } = await anyone.get(path, { headers: { 'accept-encoding': accepted } });
      assert.equal(headers['content-encoding'], 'gzip', `${path}: ${accepted}`);
      assert.ok(raw.length < plain.raw.length);
      assert.equal(gunzipSync(raw).toString(), plain.text);
      assert.equal(headers.etag, plain.headers.etag && `W/${plain.headers.etag}`);
      const again = await anyone.get(path,
        { headers: { 'accept-encoding': accepted, 'if-none-match': headers.etag }, expect: 304 });
      assert.equal(again.headers['content-encoding'], undefined);
    }
    for (const refused of ['gzip;q=0', 'identity', '', 'xgzip', 'deflate'])
      assert.equal((await anyone.get(path, { headers: { 'accept-encoding': refused } }))
        .headers['content-encoding'], undefined, `${path}: ${refused}`);
  }
  const { headers } = await anyone.get('/healthz', { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(headers['content-encoding'], undefined);
});

test('http: every answer says how it may be cached, and none to whom it is not meant', async () => {
  const cache = async (path) => (await user.get(path, { expect: 'any' })).headers['cache-control'];
  for (const path of ['/api/me', '/api/cart', '/api/orders', '/api/nothing'])
    assert.equal(await cache(path), 'no-store', path);
  for (const path of ['/api/foods', '/api/shop', '/'])
    assert.match(await cache(path), /no-cache/, path);
  for (const path of ['/api/foods', '/api/me']) {
    const { headers } = await user.get(path, { headers: { origin: 'http://evil.test' } });
    for (const name of Object.keys(headers))
      assert.doesNotMatch(name, /^access-control/);
  }
});

test('http: every answer has its own request id, which the log has too', async () => {
  const seen = new Set();
  for (let i = 0; i < 5; i++) {
    const { headers } = await user.post('/api/orders', { fulfilment: 'x' }, { expect: 422 });
    seen.add(headers['x-request-id']);
  }
  assert.equal(seen.size, 5);
  for (const id of seen)
    await server.waitFor(() => server.log.find((line) => line.request_id === id), HANG_MS, id);
});

/* ---- Who asks ---- */

test('http: every answer has its date, by a clock that was just set, too', async (t) => {
  const moved = await startServer({ clock: true });
  t.after(() => moved.stop());
  const client = new Client(moved);
  for (const hours of [1, -26, 24 * 14]) {
    moved.clock.advance(hours * 3600e3);
    for (const path of ['/', '/api/foods', '/healthz', '/nothing/here']) {
      const since = Math.floor(moved.clock.now() / 1000) * 1000;
      const date = Date.parse((await client.get(path, { expect: 'any' })).headers.date);
      assert.ok(date >= since && date <= moved.clock.now(), `${path}: ${date}, asked at ${since}`);
    }
  }
});

test('http: with the cookie, changes from other sites are refused', async () => {
  const browser = new Client(server, { cookie: `servery_session=${user.token}` });
  const put = (headers, expect) => browser.put('/api/me', {}, { headers, expect });
  await put({ 'sec-fetch-site': 'cross-site' }, 'cross_site');
  await put({ 'sec-fetch-site': 'same-site' }, 'cross_site');
  await put({ 'sec-fetch-site': 'cross-site', origin: PUBLIC_URL }, 'cross_site');
  await put({ origin: 'http://evil.test' }, 'cross_site');
  await put({ origin: 'null' }, 'cross_site');
  await put({ origin: `${PUBLIC_URL}.evil.test` }, 'cross_site');
  await put({ origin: `${PUBLIC_URL}:81` }, 'cross_site');
  await put({ origin: 'https://shop.test' }, 'cross_site');
  await put({ 'sec-fetch-site': 'same-origin' }, 200);
  await put({ 'sec-fetch-site': 'none' }, 200);
  await put({ origin: PUBLIC_URL }, 200);
  await put({}, 200);
  const evil = { headers: { 'sec-fetch-site': 'cross-site', origin: 'http://evil.test' } };
  await browser.post('/api/logout', undefined, { ...evil, expect: 'cross_site' });
  await browser.delete('/api/cart', { ...evil, expect: 'cross_site' });
  await browser.get('/api/me', { ...evil, expect: 200 });
  await user.put('/api/me', {}, { ...evil, expect: 200 });
});

test('http: an Authorization of another kind is nothing where nobody has to log in', async () => {
  for (const authorization of ['Basic YTpi', 'Bearer', 'Digest x']) {
    const headers = { authorization };
    await anyone.get('/readyz', { headers, expect: 200 });
    await anyone.post('/api/resend-otp', { signup_token: 'x' }, { headers, expect: 404 });
    await anyone.get('/api/me', { headers, expect: 'unauthenticated' });
    // It is what counts, and not the cookie beside it.
    const cookie = `servery_session=${user.token}`;
    await anyone.get('/api/me', { headers: { ...headers, cookie }, expect: 'unauthenticated' });
  }
});

test('http: the Host header decides nothing', async () => {
  const { body } = await anyone.get('/api/foods/999999',
    { headers: { host: 'evil.test' }, expect: 404 });
  assert.ok(body.type.startsWith(`${PUBLIC_URL}/errors#`));
});

test('http: /dev/mail is for demo and a loopback Host alone', async () => {
  const path = '/dev/mail.json';
  await anyone.get(path, { expect: 200 });
  for (const host of ['localhost', 'LOCALHOST:8080', '127.0.0.1', '[::1]:80'])
    await anyone.get(path, { headers: { host }, expect: 200 });
  for (const host of ['shop.test', 'localhost.evil.test', '127.0.0.1.evil.test', '127.0.0.2'])
    await anyone.get(path, { headers: { host }, expect: 404 });
  const serving = await startServer({ mode: 'serve' });
  try {
    await new Client(serving).get(path, { expect: 404 });
    await new Client(serving).get('/dev/mail', { expect: 404 });
  } finally {
    await serving.stop();
  }
});

test('http: /dev/mail.json shows the mails, newest first', async () => {
  // It is shown once it has left, which is when its code can be read.
  const shown = async (email) => {
    for (const end = performance.now() + HANG_MS; ;) {
      const { body: { items } } = await anyone.get('/dev/mail.json');
      if (items[0]?.to === email) return items;
      assert.ok(performance.now() < end, `no mail to ${email}`);
    }
  };
  const { user: first } = await signUp(server);
  await shown(first.email);
  const { user: second } = await signUp(server);
  const items = await shown(second.email);
  assert.equal(items[1].to, first.email);
  assert.match(items[0].text, /^\d{6}$/m);
});

/* ---- Limits ---- */

test('http: sign-up, code and reset calls are limited by address', async () => {
  const limited = await startServer({ mode: 'serve',
    settings: { auth_rate_per_minute: 3, trusted_proxies: '127.0.0.1' } });
  try {
    const client = new Client(limited);
    const ask = (address, expect) => client.post('/api/password-reset',
      { email: 'nobody@example.org' }, { headers: { 'x-forwarded-for': address }, expect });
    for (const left of [2, 1, 0]) {
      const { headers } = await ask('192.0.2.1', 202);
      assert.equal(headers['ratelimit-policy'], '"auth";q=3;w=60');
      assert.match(headers.ratelimit, new RegExp(`^"auth";r=${left};t=\\d+$`));
    }
    const { headers } = await ask('192.0.2.1', 'rate_limited');
    assert.ok(+headers['retry-after'] >= 1 && +headers['retry-after'] <= 20);
    // All calls of the kind together, of one address alone.
    const same = { headers: { 'x-forwarded-for': '192.0.2.1' }, expect: 'rate_limited' };
    await client.post('/api/signup', {}, same);
    await client.post('/api/verify-otp', {}, same);
    await client.post('/api/resend-otp', {}, same);
    await client.post('/api/password-reset/confirm', {}, same);
    await client.post('/api/login', {}, { ...same, expect: 422 });
    await ask('192.0.2.2', 202);
    // The last address that no trusted proxy has is the client's; what it claims before is not.
    await ask('192.0.2.9, 192.0.2.1', 'rate_limited');
    await ask('192.0.2.1, 192.0.2.3', 202);
    await ask('192.0.2.1, 127.0.0.1', 'rate_limited');
    // An IPv6 address counts by its /64.
    for (let i = 1; i <= 3; i++) await ask(`2001:db8:1:2::${i}`, 202);
    await ask('2001:db8:1:2:ffff::1', 'rate_limited');
    await ask('2001:db8:1:3::1', 202);
  } finally {
    await limited.stop();
  }
});

test('http: a forwarding header from anybody is ignored, and warned of once', async () => {
  const plain = await startServer({ mode: 'serve', settings: { auth_rate_per_minute: 2 } });
  try {
    const client = new Client(plain);
    const ask = (address, expect) => client.post('/api/password-reset',
      { email: 'nobody@example.org' }, { headers: { 'x-forwarded-for': address }, expect });
    await ask('192.0.2.1', 202);
    await ask('192.0.2.2', 202);
    await ask('192.0.2.3', 'rate_limited');
  } finally {
    await plain.stop();
  }
  const warnings = plain.log.filter((line) => line.event === 'forwarded_header_ignored');
  assert.equal(warnings.length, 1);
});

test('http: all calls can be limited', async () => {
  const limited = await startServer({ mode: 'serve', settings: { rate_per_minute: 5 } });
  try {
    const client = new Client(limited);
    for (let i = 0; i < 5; i++) {
      const { headers } = await client.get('/api/foods');
      assert.equal(headers['ratelimit-policy'], '"all";q=5;w=60');
    }
    await client.get('/api/foods', { expect: 'rate_limited' });
    await client.get('/api/me', { expect: 'rate_limited' });
  } finally {
    await limited.stop();
  }
});

test('http: many connections at once', async () => {
  const answers = await Promise.all(Array.from({ length: 300 }, () =>
    exchange(server, { method: 'GET', path: '/api/cart',
      headers: { authorization: `Bearer ${user.token}` } })));
  assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([200]));
});
