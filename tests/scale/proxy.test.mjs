// What must come through a proxy unharmed, with the recipes of deploy/: HTTP/2, streams, pictures,
// validators, compression, and who the client is.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { Client, exchange, openStream } from '../lib/client.mjs';
import { freePort } from '../lib/ports.mjs';
import { pictureOf, putPicture } from '../lib/pictures.mjs';
import { startServer } from '../lib/server.mjs';
import { addFood, logInAdmin, move, order } from '../lib/shop.mjs';
import { KINDS, NAME, startProxy } from './proxy.mjs';

const execute = promisify(execFile);

const RATE = 3; // sign-up, code and reset calls a minute from one address
const MIB = 1024 * 1024;

/* All three of the recipe's servers are one here: what is looked at is the proxy. */
async function behind(t, kind) {
  const server = await startServer({
    mode: 'demo',
    settings: {
      public_url: `https://${NAME}`, trusted_proxies: '127.0.0.1', auth_rate_per_minute: RATE,
    },
  });
  t.after(() => server.stop());
  const address = `127.0.0.1:${server.port}`;
  const proxy = await startProxy(t, kind, [address, address, address]);
  proxy.secrets = server.secrets;
  return { server, proxy };
}

/* Servers that read each call and end without an answer, as one that is killed does. `seen` has the calls. */
async function startDying(t, seen) {
  const servers = await Promise.all(Array.from({ length: 3 }, async () => {
    const server = http.createServer((request, response) => {
      if (request.url === '/readyz') return response.end('{}');
      seen.push(`${request.method} ${request.url}`);
      return request.resume().on('end', () => request.socket.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }));
  t.after(() => {
    for (const server of servers) server.closeAllConnections();
    for (const server of servers) server.close();
  });
  return servers.map((server) => `127.0.0.1:${server.address().port}`);
}

async function askByHttp2(session, headers, body) {
  const request = session.request(headers, { endStream: body === undefined });
  if (body !== undefined) request.end(body);
  const [answer] = await once(request, 'response');
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return { headers: answer, status: answer[':status'], raw: Buffer.concat(chunks) };
}

for (const kind of KINDS) {
  describe(kind, () => {
    test('HTTP/2 over TLS', async (t) => {
      const { proxy } = await behind(t, kind);
      const session = http2.connect(`https://127.0.0.1:${proxy.port}`,
        { ca: proxy.cert.cert, servername: NAME });
      t.after(() => session.destroy());
      await once(session, 'connect');
      assert.equal(session.alpnProtocol, 'h2');
      const ask = () => askByHttp2(session, { ':path': '/api/foods', 'accept-encoding': 'gzip' });
      await ask(); // is compressed for the first who asks; who asks meanwhile gets it as it is
      const answers = await Promise.all(Array.from({ length: 20 }, ask));
      for (const { status, headers, raw } of answers) {
        assert.equal(status, 200);
        assert.equal(headers['content-encoding'], 'gzip');
        assert.ok(JSON.parse(gunzipSync(raw)).items.length > 0);
        assert.match(headers['strict-transport-security'], /max-age/);
      }
      const login = await askByHttp2(session,
        { ':method': 'POST', ':path': '/api/login', 'content-type': 'application/json' },
        JSON.stringify({ identifier: 'nobody@example.com', password: 'a long password' }));
      assert.equal(login.status, 401);
      assert.equal(JSON.parse(login.raw).code, 'invalid_credentials');
    });

    test('plain HTTP leads to TLS', async (t) => {
      const { proxy } = await behind(t, kind);
      const { status, headers } = await exchange({ port: proxy.ports.http, transport: { module: http } },
        { method: 'GET', path: '/menu?q=a', headers: { host: NAME } });
      assert.equal(status, 301);
      assert.equal(headers.location, `https://${NAME}/menu?q=a`);
      if (kind === 'nginx') { // who certifies it asks here, and for a file
        const challenge = await exchange({ port: proxy.ports.http, transport: { module: http } },
          { method: 'GET', path: '/.well-known/acme-challenge/none', headers: { host: NAME } });
        assert.equal(challenge.status, 404);
      }
    });

    test('a stream shows each event at once', async (t) => {
      const { server, proxy } = await behind(t, kind);
      const admin = await logInAdmin(server);
      const placed = await order(admin, [await addFood(admin)]);
      const customer = new Client(proxy, { token: admin.token });
      const stream = await openStream(customer, `/api/orders/${placed.id}/events`);
      const board = await openStream(customer, '/api/admin/orders/events');
      await board.firstId();
      assert.equal((await stream.next()).data.to, 'pending');
      for (const status of ['confirmed', 'preparing', 'ready']) {
        await move(admin, placed, status);
        assert.equal((await stream.next()).data.to, status);
        assert.equal((await board.next()).data.to, status);
      }
      stream.close();
      board.close();
    });

    test('a picture of the largest size, both ways', async (t) => {
      const { server, proxy } = await behind(t, kind);
      const admin = new Client(proxy, { token: (await logInAdmin(server)).token });
      const food = await addFood(admin);
      const picture = pictureOf(MIB);
      const { body } = await putPicture(admin, food, picture, { expect: 200 });
      const path = new URL(body.image_url, 'https://shop').pathname;
      const shown = await exchange(proxy, { method: 'GET', path });
      assert.equal(shown.status, 200);
      assert.deepEqual(shown.raw, picture.bytes);
      const tooLarge = await exchange(proxy, {
        method: 'PUT', path: `/api/foods/${food.id}/image`, body: pictureOf(MIB + 1).bytes,
        headers: { authorization: `Bearer ${admin.token}`, 'content-type': picture.type },
      });
      assert.equal(tooLarge.status, 413);
      await admin.post('/api/foods', undefined,
        { raw: JSON.stringify({ name: 'x'.repeat(64 * 1024) }), expect: 413 });
    });

    test('HEAD, ETag, 304 and gzip', async (t) => {
      const { server, proxy } = await behind(t, kind);
      const path = '/api/foods';
      for (const coding of ['identity', 'gzip']) {
        const headers = { 'accept-encoding': coding };
        const direct = await exchange(server, { method: 'GET', path, headers });
        const got = await exchange(proxy, { method: 'GET', path, headers });
        assert.deepEqual(got.raw, direct.raw);
        for (const name of ['etag', 'content-encoding', 'content-length', 'vary', 'cache-control',
          'content-type', 'x-content-type-options', 'content-security-policy'])
          assert.equal(got.headers[name], direct.headers[name], name);
        assert.equal(got.headers['content-encoding'], coding === 'gzip' ? 'gzip' : undefined);
        const head = await exchange(proxy, { method: 'HEAD', path, headers });
        assert.equal(head.raw.length, 0);
        assert.equal(head.headers['content-length'], direct.headers['content-length']);
        const { status } = await exchange(proxy,
          { method: 'GET', path, headers: { ...headers, 'if-none-match': direct.headers.etag } });
        assert.equal(status, 304);
      }
    });

    test('the limits know the client, whatever he says of himself', async (t) => {
      const { proxy } = await behind(t, kind);
      const reset = (address, i) => new Client(proxy.from(address)).post('/api/password-reset',
        { email: 'nobody@example.com' },
        { expect: 'any', headers: { 'x-forwarded-for': `198.51.100.${i}`, forwarded: `for=198.51.100.${i}` } });
      const statuses = [];
      for (let i = 0; i <= RATE; i++) statuses.push((await reset('127.0.0.5', i)).status);
      assert.deepEqual(statuses, [...Array(RATE).fill(202), 429]);
      assert.equal((await reset('127.0.0.6', 0)).status, 202, 'another client has his own share');
    });

    test('what may have been done is not sent again', async (t) => {
      const seen = [];
      const servers = await startDying(t, seen);
      const again = { // whether the proxy may ask the next server
        'GET /api/foods': true,
        'POST /api/orders': false,
        'PUT /api/foods/1/stock': false,
        'PUT /api/foods/1/price': kind === 'nginx',
      };
      for (const [call, may] of Object.entries(again)) {
        const [method, path] = call.split(' ');
        const proxy = await startProxy(t, kind, servers); // a new one, which trusts all servers
        const got = await exchange(proxy.from('127.0.0.1'), { method, path, body: method === 'GET' ? undefined : '{}' });
        assert.equal(got.status, kind === 'nginx' ? 503 : 502, call);
        assert.equal(got.headers['retry-after'], '1');
        assert.match(got.headers['content-type'], /^application\/problem\+json/);
        assert.equal(JSON.parse(got.raw).code, 'unavailable');
        const times = seen.splice(0).length;
        assert.ok(may ? times > 1 : times === 1, `${call}: ${times} times`);
      }
    });

    // With curl, which sends a body after the headers, where Node sends both together: a proxy that
    // answers before it has the body may reset the call.
    test('where no server is up, each call over HTTP/2 is answered so', async (t) => {
      const nobody = await Promise.all([freePort(), freePort(), freePort()]);
      const proxy = await startProxy(t, kind, nobody.map((port) => `127.0.0.1:${port}`));
      const url = `https://${NAME}:${proxy.port}/api/orders`;
      for (const body of ['{}', `"${'x'.repeat(30 * 1024)}"`]) {
        for (let i = 0; i < 20; i++) {
          const { stdout } = await execute('curl', ['--silent', '--show-error', '--http2', '--include',
            '--resolve', `${NAME}:${proxy.port}:127.0.0.1`, '--cacert', proxy.cert.certFile,
            '--json', body, url]);
          assert.match(stdout, /^HTTP\/2 503/);
          assert.match(stdout, /^retry-after: 1\r$/m);
          assert.match(stdout, /"code":"unavailable"/);
        }
      }
    });

    test('what is of one server is shown to nobody', async (t) => {
      const { proxy } = await behind(t, kind);
      for (const path of ['/metrics', '/readyz'])
        assert.equal((await exchange(proxy, { method: 'GET', path })).status, 404, path);
      assert.equal((await exchange(proxy, { method: 'GET', path: '/healthz' })).status, 200);
    });
  });
}
