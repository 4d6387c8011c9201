// http_client_call against a real HTTP server: answers of every size and status, and none at all.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { after, before, test } from 'node:test';
import { run } from '../lib/build.mjs';
import { makeCert } from '../lib/certs.mjs';
import { freePort } from '../lib/ports.mjs';

const MAX = 256 * 1024;
let tls;

before(() => { tls = makeCert(); });
after(() => tls.remove());

async function serve(t, handle, secure = false) {
  const server = secure ? https.createServer(tls, handle) : http.createServer(handle);
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  });
  return `${secure ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
}

async function call(method, url, { body = '-', ca = '-', timeoutMs = 5000, headers = [] } = {}) {
  const { code, stdout, stderr, ms } = await run('tests/net/http_client_probe',
    [method, url, body, ca, String(timeoutMs), ...headers.flat()]);
  assert.equal(code, 0, stderr);
  const end = stdout.indexOf('\n');
  const [, outcome, rest] = /^(\w+) (.*)$/.exec(stdout.slice(0, end));
  if (outcome !== 'answer') return { outcome, error: rest, log: stderr, ms };
  const [, status, type, bytes] = /^(\d+) (.*) (\d+)$/.exec(rest);
  const text = stdout.slice(end + 1);
  return { outcome, status: Number(status), type, bytes: Number(bytes), body: text };
}

test('method, headers and body arrive; status, type and body come back', async (t) => {
  const url = await serve(t, async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    res.writeHead(req.method === 'DELETE' ? 404 : 201, { 'Content-Type': 'application/json' });
    res.end(JSON.stringify({
      method: req.method, url: req.url, headers: req.headers,
      body: Buffer.concat(chunks).toString(),
    }));
  });
  const headers = [['Authorization', 'Bearer sk_test'], ['Content-Type', 'application/json'],
    ['X-Empty', '']];
  for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
    const body = method === 'POST' || method === 'PUT' ? '{"amount":1250,"é":"🍕"}' : '-';
    const answer = await call(method, `${url}/v1/x?y=z%20`, { body, headers });
    assert.equal(answer.status, method === 'DELETE' ? 404 : 201);
    assert.equal(answer.type, 'application/json');
    const got = JSON.parse(answer.body);
    assert.equal(got.method, method);
    assert.equal(got.url, '/v1/x?y=z%20');
    assert.equal(got.body, body === '-' ? '' : body);
    assert.equal(got.headers.authorization, 'Bearer sk_test');
    assert.equal(got.headers['x-empty'], '');
    assert.equal(got.headers.expect, undefined);
    assert.match(got.headers['user-agent'], /^servery\//);
  }
  const empty = JSON.parse((await call('POST', url)).body);
  assert.equal(empty.headers['content-length'], '0');
});

test('HEAD and an empty answer', async (t) => {
  const url = await serve(t, (req, res) => res.writeHead(204).end());
  for (const method of ['HEAD', 'GET']) {
    const answer = await call(method, url);
    assert.deepEqual([answer.status, answer.type, answer.bytes], [204, '', 0]);
  }
});

test('the largest answer comes, one byte more does not', async (t) => {
  const url = await serve(t, (req, res) => res.end('x'.repeat(Number(req.url.slice(1)))));
  const answer = await call('GET', `${url}/${MAX}`);
  assert.deepEqual([answer.status, answer.bytes], [200, MAX]);
  const larger = await call('GET', `${url}/${MAX + 1}`);
  assert.deepEqual([larger.outcome, larger.error], ['unavailable', 'the answer is too large']);
});

test('a redirect is an answer, not followed', async (t) => {
  let calls = 0;
  const url = await serve(t, (req, res) => {
    calls++;
    res.writeHead(302, { Location: '/elsewhere' }).end();
  });
  assert.equal((await call('GET', url)).status, 302);
  assert.equal(calls, 1);
});

test('no answer in time, half an answer, no server: unavailable', async (t) => {
  const silent = await serve(t, () => {});
  const late = await call('GET', silent, { timeoutMs: 1000 });
  assert.equal(late.outcome, 'unavailable');
  assert.ok(late.ms >= 1000 && late.ms < 10000, `${late.ms}`);

  const half = await serve(t, (req, res) => {
    res.writeHead(200, { 'Content-Length': 100 });
    res.write('x'.repeat(50), () => res.destroy());
  });
  assert.equal((await call('GET', half)).outcome, 'unavailable');

  assert.equal((await call('GET', `http://127.0.0.1:${await freePort()}`)).outcome, 'unavailable');
});

test('https only with a trusted certificate', async (t) => {
  let calls = 0;
  const url = await serve(t, (req, res) => {
    calls++;
    res.end('ok');
  }, true);
  assert.equal((await call('GET', url, { ca: tls.certFile })).body, 'ok');
  const refused = await call('GET', url);
  assert.equal(refused.outcome, 'unavailable');
  assert.match(refused.error, /certificate/i);
  assert.equal(calls, 1);
});

test('other protocols, no URL, line breaks in a header: not sent, logged', async (t) => {
  let calls = 0;
  const url = await serve(t, (req, res) => {
    calls++;
    res.end();
  });
  const bad = [
    ['file:///etc/passwd'], ['ftp://127.0.0.1/x'], ['nonsense'], ['http://'], [''],
    [url, [['X-A', 'b\r\nX-C: d']]], [url, [['X-A\nX-C', 'b']]], [url, [['', 'b']]],
    [url, [['X-A: b', 'c']]],
  ];
  for (const [target, headers = []] of bad) {
    const result = await call('GET', target, { headers });
    assert.equal(result.outcome, 'internal', target);
    assert.match(result.log, /http_client_bad_request/);
    assert.doesNotMatch(result.log, /X-A/);
  }
  assert.equal((await call('PATCH', url)).outcome, 'internal');
  assert.equal(calls, 0);
});
