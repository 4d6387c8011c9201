// A client made from docs/openapi.yaml alone: for every operation random requests as described,
// and random ones that are not. Whatever is sent, the answer is a documented one in the documented
// form; what is described is not refused for its form, and what is not described is refused.
//
//   RUNS=1000   more requests of each kind for each operation than in script/test
//   SEED=42     the requests of that run; a failure prints its seed and the smallest it found
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { Client, exchange, parseAnswer } from '../lib/client.mjs';
import { checkAnswer, checkSchema, description } from '../lib/openapi.mjs';
import { picture } from '../lib/pictures.mjs';
import { startServer } from '../lib/server.mjs';
import { addFood, checkoutToken, fillCart, logIn, order, place, signUp, unique }
  from '../lib/shop.mjs';
import { deref, near, odd, plainText, valid } from './schema.mjs';

const RUNS = Number(process.env.RUNS ?? 60);
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const SLOW_SHARE = 4;     // of the runs, for what hashes a password
const GROWTH_MAX = 8 * 1024 * 1024;
const BODY_MAX = 64 * 1024;
const QUERY_TEXT_MAX = 300; // a longer line is the HTTP library's to refuse
const METHODS = ['get', 'post', 'put', 'delete'];
const PASSWORD = 'correct horse battery';

/* Codes that speak of a request's form. What a right form may still be refused for is told by the
 * description, and here: the members for which a number's bounds or presence depend on others. */
const FORM_CODES = ['unknown_field', 'wrong_type', 'too_long', 'too_short', 'control_character',
  'required', 'out_of_range'];
const DEPENDING = {
  cart_items_post: { quantity: 'out_of_range' },                   // with what is in the cart
  food_stock_put: { stock: 'required', add: 'out_of_range' },      // one of the two; with the stock
  orders_post: { address: 'required' },                            // for a delivery
  admin_summary_get: { from: 'out_of_range' },                     // with the last day
};

let server;
const roles = { anonymous: {} };
const pools = { foods: [], orders: [], payments: [], users: [], emails: [], tokens: [], names: [],
  cursors: {} };

/* ---- The operations, and who is there ---- */

const pointerTo = (...keys) =>
  keys.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const operations = Object.entries(description.paths).flatMap(([template, item]) =>
  METHODS.filter((name) => item[name]).map((name) => {
    const operation = item[name];
    const at = ['paths', template, name];
    const parametersAt = (list = [], ...keys) => list.map((one, i) => ({ ...deref(one),
      pointer: `${one.$ref?.slice(1) ?? pointerTo(...keys, 'parameters', i)}/schema` }));
    const parameters = [...parametersAt(operation.parameters, ...at),
      ...parametersAt(item.parameters, 'paths', template)];
    const content = operation.requestBody?.content ?? {};
    const [mediaType] = Object.keys(content);
    return {
      template, name, method: name.toUpperCase(), id: operation.operationId, parameters,
      responses: operation.responses, mediaType, mediaTypes: Object.keys(content),
      bodySchema: content[mediaType]?.schema,
      bodyPointer: pointerTo(...at, 'requestBody', 'content', mediaType, 'schema'),
      bodyRequired: operation.requestBody?.required,
      forAdmins: operation.tags?.includes('Admin'),
      streams: Boolean(deref(operation.responses['200'])?.content?.['text/event-stream']),
    };
  }));
const isJson = ({ mediaType }) => mediaType === 'application/json';
const hashes = ({ bodySchema }) => /password/.test(JSON.stringify(bodySchema ?? ''));

async function newCustomer() {
  const client = await signUp(server, { password: PASSWORD });
  pools.users.push(client.user.id);
  pools.emails.push(client.user.email);
  return client;
}

/* Logs in from an address of its own: the random calls may have guessed as many passwords as one
 * address may. */
async function newAdmin() {
  const email = `${unique('admin')}@example.com`;
  await server.makeAdmin(email, PASSWORD);
  const { port, secrets } = server;
  return logIn({ port, secrets, transport: { localAddress: '127.0.0.2' } }, email, PASSWORD);
}

// A random call may have ended a session, or its user.
async function revive(role, { status, body }) {
  const ended = status === 401 && body?.code === 'unauthenticated';
  if (role === 'customer' && ended) roles.customer = await newCustomer();
  if (role === 'admin' && (ended || status === 403)) roles.admin = await newAdmin();
}

before(async () => {
  server = await startServer();
  const admin = await newAdmin();
  const customer = await newCustomer();
  Object.assign(roles, { admin, customer });
  const { text } = await new Client(server).get('/');
  pools.names.push(...[...text.matchAll(/\/assets\/([^"]+)/g)].map(([, name]) => name));
  for (let i = 0; i < 4; i++)
    pools.foods.push((await addFood(admin, { price: 100 * i, stock: i ? 50 : null })).id);
  const [, food] = pools.foods.map((id) => ({ id }));
  for (let i = 0; i < 3; i++) {
    const made = await order(customer, [food], i ? {} : { fulfilment: 'delivery', address: 'A' });
    pools.orders.push(made.id);
    pools.payments.push(made.payment.id);
  }
  await fillCart(customer, food);
  const open = await place(customer);
  pools.payments.push(open.id);
  pools.tokens.push(checkoutToken(open));
});
after(() => server.stop());

/* What an answer tells of can be asked for. */
async function learn({ template }, { method, status, body }) {
  if (status === 204 && template === '/api/foods/{id}') {
    const admin = roles.admin;
    pools.foods.push((await addFood(admin, { price: 100, stock: 50 })).id);
  }
  if (template === '/api/orders' && [200, 201].includes(status) && method === 'POST')
    pools.orders.push(body.id);
  if (status === 402) pools.payments.push(body.payment.id);
  if (status === 201 && body?.signup_token) pools.tokens.push(body.signup_token);
  if (body?.image_url) pools.names.push(body.image_url.split('/').pop());
  if (body?.next_cursor) pools.cursors[template] = [body.next_cursor];
}

/* ---- Right requests ---- */

const from = (list) => fc.nat().map((n) => list()[n % list().length]);
const HINTS = {
  food_id: from(() => pools.foods),
  payment_id: from(() => pools.payments),
  quantity: fc.integer({ min: 1, max: 3 }),
  stock: fc.integer({ min: 10, max: 1000 }),
  email: fc.oneof(from(() => pools.emails), fc.nat().map((n) => `p${n}@example.org`)),
  identifier: from(() => pools.emails),
  password: fc.constant(PASSWORD),
  current_password: fc.constant(PASSWORD),
  phone: fc.integer({ min: 1000000, max: 9999999 }).map((n) => `0803 ${n}`),
  signup_token: from(() => pools.tokens),
  timezone: fc.constantFrom('Africa/Lagos', 'Europe/Rome', 'UTC'),
  country_code: fc.constantFrom('234', '39', '1'),
  currency: fc.constantFrom('NGN', 'EUR', 'JPY'),
};

function poolOf(template) {
  if (/\/(foods|cart)\b/.test(template)) return pools.foods;
  if (template.includes('/orders/')) return pools.orders;
  return template.includes('/users/') ? pools.users : pools.payments;
}

function pathArbitrary({ template, parameters }) {
  const parts = template.split(/(\{[^}]+\})/).map((part) => {
    if (part === '{id}')
      return fc.oneof({ weight: 5, arbitrary: from(() => poolOf(template)) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }) });
    if (!part.startsWith('{')) return fc.constant(part);
    const { schema = {} } = parameters.find(({ name }) => `{${name}}` === part) ?? {};
    return fc.oneof(from(() => pools.names), deref(schema).pattern
      ? valid(schema) : fc.stringMatching(/^[a-z0-9.-]{1,20}$/));
  });
  return fc.tuple(...parts).map((made) => made.join(''));
}

// Header values in what a header can hold.
const headerText = (arbitrary) =>
  arbitrary.map((value) => String(value).replace(/[^\x20-\x7e\xa0-\xff]/g, '?').trim());

function parametersOf({ parameters, template }, where) {
  const members = parameters.filter((one) => one.in === where).map(({ name, schema }) => {
    const known = { cursor: from(() => pools.cursors[template] ?? [undefined]),
      'Last-Event-ID': fc.nat({ max: 50 }) }[name];
    const value = known ?? valid(schema);
    return [name, where === 'header' ? headerText(value) : value];
  });
  return fc.record(Object.fromEntries(members), { requiredKeys: [] });
}

// A picture of the type that is said, or bytes that are most likely none.
const PICTURES = { 'image/png': '7x5.png', 'image/jpeg': '64x48.jpg', 'image/webp': '33x20.webp' };
const file = (media) => {
  const whole = PICTURES[media] ? picture(PICTURES[media]).bytes : Buffer.alloc(0);
  const some = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  return fc.oneof(
    fc.constant({ media, bytes: whole, whole: PICTURES[media] !== undefined }),
    some.map((bytes) => ({ media, bytes })),
    fc.tuple(fc.nat({ max: whole.length }), some).map(([end, bytes]) =>
      ({ media, bytes: Buffer.concat([whole.subarray(0, end), bytes]) })));
};

function bodyArbitrary(operation) {
  if (!operation.bodySchema) return fc.constant(undefined);
  return isJson(operation) ? valid(operation.bodySchema, HINTS)
    : fc.oneof(...operation.mediaTypes.map(file));
}

function rightRequest(operation) {
  const suited = operation.forAdmins || operation.responses['403'] ? 'admin' : 'anonymous';
  return fc.record({
    role: fc.oneof({ weight: 6, arbitrary: fc.constantFrom(suited, 'customer') },
      { weight: 1, arbitrary: fc.constantFrom('anonymous', 'customer', 'admin') }),
    method: fc.constant(operation.method),
    path: pathArbitrary(operation),
    query: parametersOf(operation, 'query'),
    headers: parametersOf(operation, 'header'),
    body: bodyArbitrary(operation),
  });
}

/* ---- Requests that are not ---- */

const ODD_IDS = ['0', '-1', '+1', '01', '1.0', '1e3', '0x1', '9007199254740992', '9'.repeat(40),
  '%31', '%00', '1%00', encodeURI('１'), 'x', '', '.', '..', '1;1', '1%2f2', 'null', '%', '%zz'];
const ODD_QUERIES = ['?', '?=', '?&&', '?%', '?%zz=1', '?limit', '?limit=1&limit=2', '?q=%00',
  '?q=%ff', '?q=%ed%a0%80', '?cursor=%', `?q=${'a'.repeat(3000)}`, '?constructor=1', '?__proto__=1',
  '?price=1', '??limit=1', '?limit=1;cursor=2', '?%6cimit=1'];
const ODD_BODIES = ['', ' ', '{', '}', 'nul', '{}x', '{} {}', '{"a":1,}', "{'a':1}", '{a:1}', '[',
  '\u0000', '{"price":1e400}', '{"price":-1e400}', '{"price":01}', '{"price":1.}', '{"price":NaN}',
  `{"price":${'9'.repeat(400)}}`, '{"price":1,"price":2}', '{"name":"\\ud800"}', '{"name":"\\x"}',
  '{"name":"\u0001"}', '\ufeff{}', '['.repeat(20000), '{"a":'.repeat(5000), '"'.repeat(3),
  Buffer.from([0xff, 0xfe, 0x00]), Buffer.from('{"name":"\xed\xa0\x80"}', 'latin1'),
  Buffer.from('{"name":"\xc0\x80"}', 'latin1'), `{"name":"${'a'.repeat(BODY_MAX)}"}`]
  .map((body) => Buffer.from(body));
const ODD_TYPES = ['', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data',
  'application/xml', 'application/jsonp', 'application/json-seq', 'json', '*/*', 'image/tiff',
  'application /json', 'application/json/x'];
const ODD_HEADERS = [['authorization', 'Bearer'], ['authorization', 'Bearer x'],
  ['authorization', 'Basic YTpi'], ['authorization', `Bearer ${'a'.repeat(2000)}`],
  ['cookie', 'servery_session=x; ;=;a'], ['accept', 'text/html;q=0'], ['accept', '\xff'],
  ['accept-encoding', 'gzip;q=x, *'], ['range', 'bytes=0-'], ['if-none-match', '"'],
  ['if-none-match', '*'], ['idempotency-key', ''], ['idempotency-key', 'a b'],
  ['idempotency-key', 'a'.repeat(256)], ['idempotency-key', '\xe9'], ['last-event-id', 'x'],
  ['last-event-id', '-1'], ['last-event-id', '9'.repeat(30)], ['x-forwarded-for', 'x, , 1.2.3.4'],
  ['origin', 'null'], ['sec-fetch-site', 'cross-site'], ['content-encoding', 'gzip'],
  ['x-http-method-override', 'DELETE'], ['host', 'x'], ['host', '[::1']];
const ODD_METHODS = ['PATCH', 'OPTIONS', 'HEAD', 'PROPFIND', 'TRACE', 'GET', 'POST', 'PUT',
  'DELETE'];

// An object may have a member `toString` that is no function.
const textOf = (value) => (typeof value === 'object' ? JSON.stringify(value) : String(value));

// A lone surrogate has no UTF-8. (String.prototype.toWellFormed, which Node.js 18 has not.)
const wellFormed = (text) => Buffer.from(text).toString();

const TWISTS = {
  id: ({ template }) => fc.record({ path: fc.constantFrom(...ODD_IDS)
    .map((id) => template.replace(/\{[^}]+\}/, () => id)) }),
  parameter: (operation) => fc.record({ query: fc.dictionary(
    fc.constantFrom(...operation.parameters.map(({ name }) => name), 'limit', 'q', 'offset'),
    odd.map((value) => wellFormed(textOf(value)).slice(0, QUERY_TEXT_MAX)),
    { minKeys: 1, maxKeys: 3 }) }),
  query: () => fc.record({ rawQuery: fc.constantFrom(...ODD_QUERIES) }),
  body: ({ bodySchema }) => fc.record({ body: near(bodySchema, HINTS) }),
  bytes: () => fc.record({ raw: fc.oneof(fc.constantFrom(...ODD_BODIES),
    fc.uint8Array({ maxLength: 100 }).map(Buffer.from)) }),
  type: () => fc.record({ type: fc.constantFrom(...ODD_TYPES) }),
  header: () => fc.record({ odd: fc.array(fc.oneof(fc.constantFrom(...ODD_HEADERS),
    fc.tuple(fc.stringMatching(/^x-[a-z0-9-]{1,30}$/), headerText(plainText(0, 200)))),
  { minLength: 1, maxLength: 4 }) }),
  method: () => fc.record({ method: fc.constantFrom(...ODD_METHODS),
    body: fc.constant(undefined) }),
};

function oddRequest(operation) {
  const fitting = { id: operation.template.includes('{'), body: isJson(operation),
    bytes: operation.mediaType, type: operation.mediaType };
  const twists = Object.keys(TWISTS).filter((name) => fitting[name] ?? true)
    .map((name) => ({ weight: name === 'body' ? 6 : 1, arbitrary: TWISTS[name](operation) }));
  return fc.tuple(rightRequest(operation), fc.oneof(...twists))
    .map(([request, twist]) => ({ ...request, ...twist }));
}

/* ---- Sending, and what every answer must be ---- */

const wire = (query) => Object.entries(query).filter(([, value]) => value !== undefined)
  .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');

async function send(operation, request) {
  const { role, method, query, rawQuery, type, raw, body } = request;
  const asked = wire(query);
  const path = request.path + (rawQuery ?? (asked && `?${asked}`));
  const media = type ?? body?.media ?? operation.mediaType;
  const sent = raw ?? (isJson(operation) ? JSON.stringify(body) : body?.bytes);
  const { token } = roles[role];
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(sent !== undefined && media && { 'content-type': media }),
    ...request.headers,
    ...Object.fromEntries(request.odd ?? []),
  };
  const onHeaders = operation.streams && method === 'GET'
    ? (response, call) => {
      call.on('error', () => {});
      response.on('error', () => {});
      call.destroy();
      return { status: 200, headers: response.headers, raw: Buffer.alloc(0), stream: true };
    } : undefined;
  const got = await exchange(server, { method, path, headers, body: sent, onHeaders });
  const answer = { ...parseAnswer({ method, path, ...got, request: { headers } }),
    stream: got.stream };
  checkAnswer(answer);
  if (answer.status >= 500) {
    assert.equal(answer.status, 503, answer.text);
    assert.ok(Number(answer.headers['retry-after']) >= 1, 'Retry-After');
  }
  await learn(operation, answer);
  await revive(role, answer);
  return answer;
}

function fits(pointer, value) {
  try {
    checkSchema(pointer, value, '');
    return true;
  } catch (error) {
    if (error instanceof assert.AssertionError && error.message.includes('does not match'))
      return false;
    throw error;
  }
}

// A query's text as the type that it should be.
function typed(text, { type }) {
  if (type === 'integer' && /^-?\d+$/.test(text)) return Number(text);
  if (type === 'boolean' && ['true', 'false'].includes(text)) return text === 'true';
  return text;
}

// Whether the description forbids it: {of: what of it}, or nothing.
function forbidden(operation, { method, query, body, raw, type }) {
  if (method !== operation.method) return undefined;
  if (operation.responses['422'])
    for (const [name, value] of Object.entries(query)) {
      const known = operation.parameters.find((one) => one.in === 'query' && one.name === name);
      if (!known || !fits(known.pointer, typed(String(value), deref(known.schema))))
        return { of: `query ${name}` };
    }
  if (!operation.mediaType) return undefined;
  const text = raw?.toString() ?? JSON.stringify(body) ?? '';
  if (text === '') return operation.bodyRequired ? { of: 'no body' } : undefined;
  if (type !== undefined) return { of: 'Content-Type' };
  if (!isJson(operation)) return undefined;
  try {
    return fits(operation.bodyPointer, JSON.parse(text)) ? undefined : { of: 'body' };
  } catch (error) {
    if (error instanceof SyntaxError) return { of: 'no JSON' };
    throw error;
  }
}

function checkTaken(operation, request, { status, body, text }) {
  if (request.body?.media && !request.body.whole) return;
  assert.ok(![400, 405, 413, 415].includes(status), `refused for its form: ${text}`);
  if (status !== 422) return;
  for (const { field, code } of body.errors)
    if (FORM_CODES.includes(code) && DEPENDING[operation.id]?.[field] !== code)
      assert.fail(`refused for its form: ${text}`);
}

/* ---- The properties ---- */


async function holds(operation, arbitrary, check) {
  const runs = hashes(operation) ? Math.ceil(RUNS / SLOW_SHARE) : RUNS;
  const property = fc.asyncProperty(arbitrary, async (request) => {
    const answer = await send(operation, request);
    check(request, answer);
  });
  await fc.assert(property, { seed: SEED, numRuns: runs, includeErrorInReport: true });
}

for (const operation of operations) {
  const what = `${operation.method} ${operation.template}`;
  test(`openapi: ${what}: as described is not refused for its form (SEED=${SEED})`, () =>
    holds(operation, rightRequest(operation), (request, answer) =>
      checkTaken(operation, request, answer)));

  test(`openapi: ${what}: what is not described is refused (SEED=${SEED})`, () =>
    holds(operation, oddRequest(operation), (request, answer) => {
      const why = forbidden(operation, request);
      if (why) assert.ok(answer.status >= 400, `${why.of} was taken: ${answer.status}`);
    }));
}

// The same number of the same calls once more, after it has had all of them: nothing is kept of them.
test(`openapi: its memory does not grow with the calls (SEED=${SEED})`, async (t) => {
  const round = async () => {
    for (const operation of operations)
      for (const request of fc.sample(rightRequest(operation),
        { seed: SEED, numRuns: Math.ceil(RUNS / SLOW_SHARE) }))
        await send(operation, request);
  };
  await round();
  const before = server.residentBytes;
  await round();
  const grown = server.residentBytes - before;
  t.diagnostic(`${grown} bytes more, ${server.residentBytes} resident`);
  if (!server.isSanitized) assert.ok(grown < GROWTH_MAX, `${grown} bytes more`);
});

test('openapi: after all that the server is well', async () => {
  await server.end();
  assert.deepEqual(server.log.filter(({ level }) => level === 'error'), []);
  await server.checkData();
});
