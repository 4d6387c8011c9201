// A client of the API over real sockets. Every answer it gets is held against docs/openapi.yaml.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { checkAnswer, checkSchema } from './openapi.mjs';
import { HANG_MS } from './server.mjs';

const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });

/* The lowest layer: sends what it is told and gives {status, headers, raw}. `onHeaders` takes the
 * response over as soon as its head is there, and returns what to resolve with. A server with a
 * `transport` is reached in another way than by plain HTTP: {module (https), agent, and more}. */
export function exchange(server, { method, path, headers = {}, body, onHeaders }) {
  // Node frames the body of a GET by nothing at all.
  const framed = body === undefined ? headers
    : { ...headers, 'content-length': Buffer.byteLength(body) };
  const { module = http, agent: kept = agent, ...connection } = server.transport ?? {};
  return new Promise((resolve, reject) => {
    const request = module.request({
      host: '127.0.0.1', port: server.port, agent: onHeaders ? false : kept,
      method, path, headers: framed, timeout: HANG_MS, ...connection,
    });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error(`${method} ${path}: no answer`)));
    request.on('response', (response) => {
      if (onHeaders && response.statusCode === 200) {
        request.setTimeout(0);
        resolve(onHeaders(response, request));
        return;
      }
      response.toArray().then((chunks) => resolve({
        status: response.statusCode, headers: response.headers, raw: Buffer.concat(chunks),
      }), reject); // a server may end in the midst of its answer
    });
    request.end(body);
  });
}

export function parseAnswer({ method, path, status, headers, raw, request }) {
  const unpack = { gzip: gunzipSync, br: brotliDecompressSync }[headers['content-encoding']];
  const plain = unpack && raw.length ? unpack(raw) : raw;
  const text = plain.toString('utf8');
  const isJson = /[/+]json\b/.test(headers['content-type'] ?? '');
  const body = isJson && text ? JSON.parse(text) : undefined;
  return { method, path, status, headers, text, body, request };
}

export class Client {
  /* token: a bearer token; cookie: the value of a Cookie header instead. */
  constructor(server, { token, cookie } = {}) {
    this.server = server;
    this.token = token;
    this.cookie = cookie;
    if (token) server.secrets.add(token);
  }

  /* options: headers (undefined leaves one of ours out), expect (a status, or a problem's code),
   * raw (a body sent as it is, instead of JSON). */
  async call(method, path, body, options = {}) {
    const headers = {
      ...(this.token && { authorization: `Bearer ${this.token}` }),
      ...(this.cookie && { cookie: this.cookie }),
      ...((body !== undefined || options.raw !== undefined) &&
        { 'content-type': 'application/json' }),
      ...options.headers,
    };
    for (const name of Object.keys(headers)) if (headers[name] === undefined) delete headers[name];
    const sent = options.raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const { status, headers: got, raw } =
      await exchange(this.server, { method, path, headers, body: sent });
    const answer = parseAnswer({ method, path, status, headers: got, raw, request: { headers } });
    checkAnswer(answer);
    answer.raw = raw;
    expectAnswer(answer, options.expect);
    return answer;
  }

  get(path, options) {
    return this.call('GET', path, undefined, options);
  }

  post(path, body, options) {
    return this.call('POST', path, body, options);
  }

  put(path, body, options) {
    return this.call('PUT', path, body, options);
  }

  delete(path, options) {
    return this.call('DELETE', path, undefined, options);
  }
}

// `expected` is a status or a problem's code; without it any 2xx is.
function expectAnswer(answer, expected) {
  const what = `${answer.method} ${answer.path} → ${answer.status}: ${answer.text.slice(0, 600)}`;
  if (expected === undefined)
    assert.ok(answer.status >= 200 && answer.status < 300, what);
  else if (typeof expected === 'number')
    assert.equal(answer.status, expected, what);
  else if (expected !== 'any')
    assert.equal(answer.body?.code, expected, what);
}

/* ---- Raw bytes ---- */

/* A connection of which the test writes every byte. read() resolves with all that came once the
 * server closed; until(text) as soon as `text` is among it. */
export class RawConnection {
  text = '';
  closed = false;
  #waiting = new Set();

  static async open(server) {
    const connection = new RawConnection();
    const socket = net.connect(server.port, '127.0.0.1');
    connection.socket = socket;
    socket.setEncoding('latin1');
    const wake = () => { for (const check of connection.#waiting) check(); };
    socket.on('data', (text) => { connection.text += text; wake(); });
    // A server that refuses a request may reset what is still being sent.
    socket.on('error', () => {});
    socket.on('close', () => { connection.closed = true; wake(); });
    await new Promise((resolve) => socket.once('connect', resolve));
    return connection;
  }

  write(bytes) {
    this.socket.write(bytes, 'latin1');
    return this;
  }

  #wait(done, timeoutMs, what) {
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        settle(value);
      };
      const timer = setTimeout(() => end(reject,
        new Error(`${what}: not within ${timeoutMs} ms; so far ${JSON.stringify(this.text)}`)),
      timeoutMs);
      const check = () => { if (done()) end(resolve, this.text); };
      this.#waiting.add(check);
      check();
    });
  }

  untilClosed(timeoutMs = HANG_MS) {
    return this.#wait(() => this.closed, timeoutMs, 'close');
  }

  until(text, timeoutMs = HANG_MS) {
    return this.#wait(() => this.text.includes(text) || this.closed, timeoutMs, text);
  }

  // The n-th whole answer with a Content-Length.
  async answer(nth = 1, timeoutMs = HANG_MS) {
    await this.#wait(() => this.closed || splitAnswers(this.text).length >= nth, timeoutMs,
      `answer ${nth}`);
    return splitAnswers(this.text)[nth - 1];
  }

  destroy() {
    this.socket.destroy();
  }
}

/* The answers in a byte stream, each {status, headers, raw, text}. */
export function splitAnswers(text) {
  const answers = [];
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) return answers;
    const [start, ...lines] = text.slice(at, end).split('\r\n');
    const headers = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const length = Number(headers['content-length'] ?? 0);
    if (text.length < end + 4 + length) return answers;
    const raw = Buffer.from(text.slice(end + 4, end + 4 + length), 'latin1');
    answers.push({ status: Number(start.split(' ')[1]), headers, raw, text: raw.toString('utf8') });
    at = end + 4 + length;
  }
}

/* Sends the bytes (which should make the server close, or ask for it), gives its answers. */
export async function sendRaw(server, bytes, timeoutMs) {
  const connection = await RawConnection.open(server);
  connection.write(bytes);
  return splitAnswers(await connection.untilClosed(timeoutMs));
}

/* An answer from raw bytes against the description; for one to a known method and path. */
export function checkRaw(answer, method, path) {
  const parsed = parseAnswer({ ...answer, method, path });
  checkAnswer(parsed);
  return parsed;
}

/* ---- Event streams ---- */

export class EventStream {
  events = [];
  lastId; // what a browser would send as Last-Event-ID
  ended = false;
  #waiting = new Set();
  #rest = '';
  #taken = 0;

  /* schemas: of the data, by the event's name. */
  constructor(response, request, schemas) {
    this.schemas = schemas;
    this.headers = response.headers;
    this.request = request;
    const wake = () => { for (const check of this.#waiting) check(); };
    const end = () => { this.ended = true; wake(); };
    response.setEncoding('utf8');
    response.on('data', (text) => { this.#parse(text); wake(); });
    response.on('error', end);
    response.on('close', end);
  }

  #parse(text) {
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop();
    for (const block of blocks) {
      const event = {};
      for (const line of block.split('\n')) {
        const [, name, value] = line.match(/^([^:]*): ?(.*)$/);
        if (name) event[name] = value;
      }
      if (event.id !== undefined) this.lastId = Number(event.id);
      if (event.data === undefined) continue;
      const data = JSON.parse(event.data);
      assert.ok(this.schemas[event.event], `an event named ${event.event}`);
      checkSchema(`/components/schemas/${this.schemas[event.event]}`, data, 'event of a stream');
      this.events.push({ ...event, id: event.id === undefined ? undefined : Number(event.id), data });
    }
  }

  #wait(done, timeoutMs, what) {
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        settle(value);
      };
      const timer = setTimeout(() => end(reject, new Error(`${what}: not within ${timeoutMs} ms`)),
        timeoutMs);
      const check = () => {
        const value = done();
        if (value) end(resolve, value);
      };
      this.#waiting.add(check);
      check();
    });
  }

  async next(timeoutMs = HANG_MS) {
    await this.#wait(() => this.events.length > this.#taken || this.ended, timeoutMs, 'event');
    return this.events[this.#taken++];
  }

  // Resolves with the first id, be it one that comes without an event.
  async firstId(timeoutMs = HANG_MS) {
    await this.#wait(() => this.lastId !== undefined, timeoutMs, 'id');
    return this.lastId;
  }

  untilEnded(timeoutMs = HANG_MS) {
    return this.#wait(() => this.ended, timeoutMs, 'end of the stream');
  }

  async *[Symbol.asyncIterator]() {
    for (let event; (event = await this.next());) yield event;
  }

  close() {
    this.request.destroy();
  }
}

const ORDER_EVENTS = { status: 'OrderStreamEvent' };
const BOARD_EVENTS = {
  status: 'BoardStreamEvent', payment: 'PaymentFlags', resync: 'Resync',
};

/* Opens a stream; one that is refused gives the answer instead. */
export async function openStream(client, path, { headers, expect = 200 } = {}) {
  const sent = { ...(client.token && { authorization: `Bearer ${client.token}` }),
    ...(client.cookie && { cookie: client.cookie }), accept: 'text/event-stream', ...headers };
  const got = await exchange(client.server, {
    method: 'GET', path, headers: sent,
    onHeaders: (response, request) => {
      checkAnswer({ method: 'GET', path, status: 200, headers: response.headers, text: '',
        stream: true });
      return new EventStream(response, request,
        path.startsWith('/api/admin/') ? BOARD_EVENTS : ORDER_EVENTS);
    },
  });
  if (got instanceof EventStream) {
    assert.equal(expect, 200, `GET ${path}: a stream opened`);
    return got;
  }
  const answer = parseAnswer({ method: 'GET', path, ...got });
  checkAnswer(answer);
  expectAnswer(answer, expect);
  return answer;
}
