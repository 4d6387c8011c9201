// /metrics: a text that Prometheus reads, numbers that move by what was done, and who may see them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, exchange, openStream } from '../lib/client.mjs';
import { onPostgresql, sqliteOnly } from '../lib/database.mjs';
import { parseMetrics } from '../lib/metrics.mjs';
import { HANG_MS, startServer } from '../lib/server.mjs';
import { addFood, collect, fillCart, logInAdmin, place, signUp, simulate } from '../lib/shop.mjs';

const ROOT = new URL('../../', import.meta.url);
const TOKEN = 'a-token-of-metrics-0123456789';
const PUBLIC_URL = 'http://localhost:8080';
const REQUESTS = 'servery_http_requests_total';

let server;
let admin;
let anyone;

before(async () => {
  server = await startServer({ settings: { public_url: PUBLIC_URL } });
  anyone = new Client(server);
  admin = await logInAdmin(server);
});
after(() => server?.stop());

const scrape = async (client = anyone) =>
  parseMetrics((await client.get('/metrics', { expect: 200 })).text);

const requests = (metrics, route, method, status) =>
  metrics.value(REQUESTS, { route, method, status });

/* What is read from the database may be a second old: scraped until it shows. */
async function untilShown(name, labels, expected) {
  const deadline = Date.now() + HANG_MS;
  for (;;) {
    const value = (await scrape()).value(name, labels);
    if (value === expected) return;
    assert.ok(Date.now() < deadline, `${name} is ${value} and not ${expected}`);
  }
}

function promtool(args, options) {
  return spawnSync(fileURLToPath(new URL('script/promtool', ROOT)), args,
    { encoding: 'utf8', ...options });
}

test('metrics: Prometheus reads them', async () => {
  const { text, headers } = await anyone.get('/metrics', { expect: 200 });
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const { families, value } = parseMetrics(text);
  assert.ok(families.size > 35);
  for (const name of families.keys()) assert.match(name, /^(servery|process)_/);
  const version = families.get('servery_build_info').samples[0];
  assert.match(version.labels.version, /^\d+\.\d+\.\d+$/);
  assert.ok(value('process_resident_memory_bytes') > 1e6);
  assert.ok(value('process_open_fds') > 5 && value('process_max_fds') >= 256);
  if (!onPostgresql) assert.ok(value('servery_database_size_bytes') > 0);
  assert.ok(Math.abs(value('process_start_time_seconds') - Date.now() / 1000) < 600);

  const { status, stdout, stderr } = promtool(['check', 'metrics'], { input: text });
  assert.equal(status, 0, `promtool: ${stdout}${stderr}`);
  const broken = promtool(['check', 'metrics'], { input: 'x{y="1} 2\n' });
  assert.notEqual(broken.status, 0, 'promtool takes anything');
});

test('metrics: the parser of these tests refuses what is wrong', () => {
  const head = '# HELP a_total A.\n# TYPE a_total counter\n';
  parseMetrics(`${head}a_total 1\n`);
  const histogram = (buckets) => '# HELP h H.\n# TYPE h histogram\n' + buckets;
  parseMetrics(histogram('h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 5\nh_count 2\n'));
  for (const bad of ['a_total 1\n', `${head}a_total 1`, `${head}b_total 1\n`, head,
    `${head}a_total 1\na_total 2\n`, `${head}a_total{b="c",} 1\n`, `${head}a_total -1\n`,
    histogram('h_bucket{le="1"} 3\nh_bucket{le="+Inf"} 2\nh_sum 5\nh_count 2\n'),
    histogram('h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 5\nh_count 3\n'),
    histogram('h_bucket{le="1"} 1\nh_sum 5\nh_count 1\n')])
    assert.throws(() => parseMetrics(bad), bad);
});

test('metrics: calls are counted by route, method and class of status', async () => {
  const before = await scrape();
  const foods = await anyone.get('/api/foods');
  await anyone.get('/api/foods');
  await anyone.get('/api/foods', { headers: { 'if-none-match': foods.headers.etag }, expect: 304 });
  await anyone.call('HEAD', '/api/foods', undefined, { expect: 200 });
  await anyone.get('/api/foods/1?x=1', { expect: 422 });
  await anyone.get('/api/foods/999999', { expect: 404 });
  await anyone.get('/no/such/path', { expect: 404 });
  await anyone.delete('/api/foods', { expect: 405 });
  await anyone.call('PATCH', '/api/foods', undefined, { expect: 405 });
  await anyone.post('/api/login', undefined, { raw: ' '.repeat(70000), expect: 413 });
  const now = await scrape();

  const moved = new Map();
  for (const { labels, value } of now.families.get(REQUESTS).samples) {
    const change = value - before.value(REQUESTS, labels);
    if (change) moved.set(`${labels.method} ${labels.route} ${labels.status}`, change);
  }
  assert.deepEqual(Object.fromEntries(moved), {
    'GET /api/foods 2xx': 3, 'GET /api/foods 3xx': 1, 'GET /api/foods/{id} 4xx': 2,
    'POST /api/login 4xx': 1, 'GET unmatched 4xx': 1, 'DELETE unmatched 4xx': 1,
    'other unmatched 4xx': 1, 'GET /metrics 2xx': 1,
  });
  const timed = (metrics) => metrics.value('servery_http_request_duration_seconds_count',
    { route: '/api/foods', method: 'GET' });
  assert.equal(timed(now) - timed(before), 4);
});

test('metrics: mails, payments, orders, commits, log-ins and streams move by what was done',
  async () => {
    // Whoever signs up gets a mail, and its sender writes when it likes; an admin is there already.
    const user = admin;
    await fillCart(user, await addFood(admin));
    const before = await scrape();
    const change = (now, name, labels) => now.value(name, labels) - before.value(name, labels);

    for (const _ of [1, 2])
      await anyone.post('/api/login', { identifier: user.user.email, password: 'not his one' },
        { expect: 'invalid_credentials' });
    const payment = await place(user);
    await untilShown('servery_payments_open', {}, 1);
    await simulate(server, payment);
    const order = await collect(user, payment);
    await untilShown('servery_payments_open', {}, 0);
    await untilShown('servery_orders_open', { status: 'pending' }, 1);
    const stream = await openStream(user, `/api/orders/${order.id}/events`);
    const now = await scrape();
    assert.equal(now.value('servery_http_event_streams'), 1);
    assert.ok(now.value('servery_http_connections') >= 2);
    assert.ok(now.value('servery_orders_oldest_pending_age_seconds') > 0);
    stream.close();

    assert.equal(change(now, 'servery_login_failures_total'), 2);
    assert.equal(change(now, 'servery_password_hash_duration_seconds_count'), 2);
    assert.equal(change(now, 'servery_http_rate_limited_total'), 0);
    // Two failures, the payment, and the news that it was paid; once a minute the jobs write, too.
    for (const name of ['commits_total', 'commit_jobs_sum', 'commit_duration_seconds_count'])
      assert.ok(change(now, `servery_store_${name}`) >= 4, name);
    assert.equal(now.value('servery_store_commits_failed_total'), 0);
    await admin.put(`/api/orders/${order.id}/status`, { status: 'cancelled' });
    await untilShown('servery_payments_refund_due', {}, 1);
    await untilShown('servery_orders_open', { status: 'pending' }, 0);
  });

test('metrics: connections to the database, and whether other servers are heard', async () => {
  await admin.get('/api/orders');
  const now = await scrape();
  const [used, idle] = ['in_use', 'idle'].map((state) =>
    now.value('servery_store_connections', { state }));
  assert.ok(idle >= 1 && used >= 0, `${used} in use, ${idle} idle`);
  assert.ok(used + idle <= now.value('servery_store_connections_max'));
  for (const use of ['read', 'write'])
    assert.equal(now.value('servery_store_connection_timeouts_total', { use }), 0);
  assert.equal(now.value('servery_store_connections_lost_total'), 0);
  assert.equal(now.value('servery_notifications_up'), 1);
  assert.equal(now.value('servery_notifications_lost_total'), 0);
});

test('metrics: a mail that was sent is counted', async () => {
  const before = await scrape();
  await signUp(server);
  const sent = before.value('servery_mails_sent_total') + 1;
  await untilShown('servery_mails_sent_total', {}, sent);
  await untilShown('servery_mails_waiting', {}, 0);
});

test('metrics: as many series after calls to anywhere as before', async () => {
  const { series } = await scrape();
  const paths = Array.from({ length: 300 }, (_, i) => `/${Math.random().toString(36)}/${i}`);
  paths.push('/api/foods/77', '/api/foods/%22%0a', '/assets/x%22y', '/api/orders/9007199254740991',
    '/metrics/', '//', '/api/foods?category=%22', '/%7Bid%7D');
  const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE'];
  await Promise.all(paths.map((path, i) =>
    exchange(server, { method: methods[i % methods.length], path })));
  assert.deepEqual((await scrape()).series, series);
});

test('metrics: no secret is in them', async () => {
  const { text } = await anyone.get('/metrics', { expect: 200 });
  assert.ok(server.secrets.size > 3);
  for (const secret of server.secrets) assert.ok(!text.includes(secret), secret);
  assert.doesNotMatch(text, /@|example\.(com|org)/);
});

test('metrics: the alerts name what there is, and promtool takes them', sqliteOnly, async () => {
  const { families } = await scrape();
  const rules = fileURLToPath(new URL('deploy/prometheus-alerts.yml', ROOT));
  const names = [...readFileSync(rules, 'utf8').matchAll(/\b(?:servery|process)_[a-z_]+/g)]
    .map(([name]) => name.replace(/_(bucket|sum|count)$/, ''));
  assert.ok(new Set(names).size > 12);
  for (const name of names) assert.ok(families.has(name), name);
  const { status, stdout, stderr } = promtool(['check', 'rules', rules]);
  assert.equal(status, 0, `promtool: ${stdout}${stderr}`);
});

/* One added series that have different labels, and could never fire. */
test('metrics: every alert fires when it should, and none when all is well', sqliteOnly, async () => {
  const cases = fileURLToPath(new URL('tests/api/prometheus-alerts.test.yml', ROOT));
  const rules = readFileSync(new URL('deploy/prometheus-alerts.yml', ROOT), 'utf8');
  const text = readFileSync(cases, 'utf8');
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  const fired = [...text.matchAll(/- alertname: (\w+)/g)].map(([, name]) => name);
  const quiet = [...text.matchAll(/{alertname: (\w+), .*exp_alerts: \[\]}/g)].map(([, name]) => name);
  assert.ok(alerts.length > 10);
  assert.deepEqual([...new Set(fired)].sort(), [...alerts].sort());
  assert.deepEqual(quiet.sort(), [...alerts].sort());
  const { status, stdout, stderr } = promtool(['test', 'rules', cases]);
  assert.equal(status, 0, `promtool: ${stdout}${stderr}`);

  // The series of the cases are the server's, label by label; Prometheus adds the first two, and `up`.
  const shape = (name, labels) => `${name} ${['instance', 'job', ...labels].sort()}`;
  const served = new Set([...(await scrape()).families.values()].flatMap(({ samples }) =>
    samples.map(({ name, labels }) => shape(name, Object.keys(labels)))));
  for (const [, name, labels] of text.matchAll(/series: '(\w+)\{(.*)\}'/g)) {
    const keys = [...labels.matchAll(/(\w+)="/g)].map(([, key]) => key).sort();
    if (name !== 'up') assert.ok(served.has(`${name} ${keys}`), `${name} ${keys}`);
  }
});

/* ---- Who may see them ---- */

const LOCAL = [{}, { host: 'localhost' }, { host: 'localhost:9090' }, { host: '[::1]:80' }, { host: 'LOCALHOST:' }];
const FORWARDED = [{ 'x-forwarded-for': '192.0.2.1' }, { 'x-forwarded-for': '127.0.0.1' },
  { forwarded: 'for=127.0.0.1' }, { via: '1.1 proxy' }, { 'x-real-ip': '127.0.0.1' },
  { 'x-forwarded-for': '' }, { host: 'shop.test' }, { host: 'localhost.evil.test' },
  { host: 'localhost:80.evil.test' }, { host: '127.0.0.1:x' }];

/* A plain `proxy_pass http://127.0.0.1:8080` sends just this, and made them public. */
test('metrics: without a token for nobody if the shop is elsewhere for its customers', async () => {
  for (const public_url of ['https://shop.test', 'http://localhost.evil.test', 'http://127.0.0.1.test',
    'http://192.0.2.1:8080', 'http://[::2]']) {
    const shop = await startServer({ settings: { public_url } });
    try {
      for (const headers of [...LOCAL, ...FORWARDED])
        await new Client(shop).get('/metrics', { headers, expect: 'forbidden' });
    } finally {
      await shop.stop();
    }
  }
  for (const public_url of ['http://LocalHost/', 'https://127.0.0.1:8443', 'http://[::1]:80']) {
    const shop = await startServer({ settings: { public_url } });
    try {
      await new Client(shop).get('/metrics', { expect: 200 });
    } finally {
      await shop.stop();
    }
  }
});

test('metrics: without a token for calls from this machine only', async () => {
  for (const headers of LOCAL) await anyone.get('/metrics', { headers, expect: 200 });
  for (const headers of FORWARDED)
    await anyone.get('/metrics', { headers, expect: 'forbidden' });
  // Being an admin is no key, and a token that is not asked for does no harm.
  await admin.get('/metrics', { headers: { 'x-forwarded-for': '192.0.2.1' }, expect: 'forbidden' });
  await admin.get('/metrics', { expect: 200 });
  await anyone.get('/metrics', { headers: { authorization: 'Basic eDp5' }, expect: 200 });
});

test('metrics: through a trusted proxy the whole way must be this machine', async () => {
  const proxied = await startServer({ settings: { public_url: PUBLIC_URL,
    trusted_proxies: '127.0.0.1' } });
  try {
    const client = new Client(proxied);
    const ask = (forwarded, expect) =>
      client.get('/metrics', { headers: { 'x-forwarded-for': forwarded }, expect });
    await client.get('/metrics', { expect: 200 });
    await ask('127.0.0.1', 200);
    await ask('::1, 127.0.0.1', 200);
    for (const forwarded of ['192.0.2.1', '127.0.0.1, 192.0.2.1', '192.0.2.1, 127.0.0.1', '',
      'localhost', '127.0.0.1, x', '127.0.0.1,', '2001:db8::1', '::ffff:192.0.2.1', 'unknown'])
      await ask(forwarded, 'forbidden');
  } finally {
    await proxied.stop();
  }
});

test('metrics: with a token for who sends it, from anywhere, and nobody else', async () => {
  const guarded = await startServer({ settings: { metrics_token: TOKEN } });
  guarded.secrets.add(TOKEN);
  try {
    const client = new Client(guarded);
    const ask = (authorization, expect, headers) =>
      client.get('/metrics', { headers: { authorization, ...headers }, expect });
    for (const headers of [...LOCAL, ...FORWARDED]) {
      await ask(`Bearer ${TOKEN}`, 200, headers);
      await ask(undefined, 'forbidden', headers);
    }
    for (const wrong of [`${TOKEN}x`, TOKEN.slice(0, -1), TOKEN.toUpperCase(), `x${TOKEN}`, 'x'])
      await ask(`Bearer ${wrong}`, 'forbidden');
    await ask(undefined, 'forbidden', { cookie: `servery_session=${TOKEN}` });
    await ask(`Basic ${TOKEN}`, 'forbidden');
    await client.get(`/metrics?token=${TOKEN}`, { expect: 'forbidden' });
    const { text } = await ask(`Bearer ${TOKEN}`, 200);
    assert.ok(!text.includes(TOKEN));
  } finally {
    await guarded.stop();
  }
});

test('metrics: scraped while the server stops', async () => {
  const stopping = await startServer({ settings: { public_url: PUBLIC_URL } });
  const client = new Client(stopping);
  let going = true;
  let scrapes = 0;
  const scrapers = Array.from({ length: 8 }, async () => {
    // Refused and reset connections are what a stop looks like from outside.
    while (going) {
      const answer = await exchange(stopping, { method: 'GET', path: '/metrics' }).catch(() => {});
      if (!answer) return;
      if (answer.status === 200) scrapes++;
    }
  });
  await client.get('/metrics');
  await stopping.stop();
  going = false;
  await Promise.all(scrapers);
  assert.ok(scrapes > 0);
});
