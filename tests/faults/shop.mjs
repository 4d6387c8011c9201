// A shop whose server is killed, starved and started again on the same data and the same port: what
// the fault tests need beyond a server that just runs.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import http from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildDir } from '../lib/build.mjs';
import { parseAnswer } from '../lib/client.mjs';
import { onPostgresql, sql } from '../lib/database.mjs';
import { checkAnswer } from '../lib/openapi.mjs';
import { freePort } from '../lib/ports.mjs';
import { HANG_MS, PROGRAM, Server } from '../lib/server.mjs';

const execute = promisify(execFile);

/* ---- Calls ---- */

// The connection ended before a whole answer was there: nobody knows what became of the call.
export class Lost extends Error {}

/* Calls on a connection of its own, one after the other. Unlike lib/client.mjs, whose servers do
 * not die, it tells an answer from the lack of one. Answers are held against docs/openapi.yaml. */
export class Caller {
  constructor(port) {
    this.port = port;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  }

  // Resolves with {status, headers, text, body}; rejects with Lost.
  // type: that of a body that is sent as it is, instead of JSON.
  async call(method, path, { token, body, type, key } = {}) {
    const sent = body === undefined || type ? body : JSON.stringify(body);
    const headers = {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(key && { 'idempotency-key': key }),
      ...(sent && { 'content-type': type ?? 'application/json' }),
    };
    const got = await this.exchange(method, path, headers, sent);
    const answer = parseAnswer({ method, path, ...got, request: { headers } });
    checkAnswer(answer);
    return answer;
  }

  exchange(method, path, headers, sent) {
    return new Promise((resolve, reject) => {
      const lost = (cause) => reject(new Lost(`${method} ${path}: ${cause.message}`, { cause }));
      const request = http.request(
        { host: '127.0.0.1', port: this.port, method, path, headers, agent: this.agent,
          timeout: HANG_MS },
        (response) => {
          const chunks = [];
          response.on('data', (chunk) => chunks.push(chunk));
          response.on('error', lost);
          response.on('end', () => {
            if (response.complete)
              resolve({ status: response.statusCode, headers: response.headers,
                raw: Buffer.concat(chunks) });
            else
              lost(new Error('the answer is cut off'));
          });
        });
      request.on('error', lost);
      request.on('timeout', () => {
        reject(new Error(`${method} ${path}: neither an answer nor an end`));
        request.destroy();
      });
      request.end(sent);
    });
  }

  close() {
    this.agent.destroy();
  }
}

/* ---- The server ---- */

export class Shop extends Server {
  /* As Server, which serves for real, with pretended payments and the mail given. */
  constructor({ mail = 'log', settings = {}, ...rest } = {}) {
    super({
      mode: 'serve',
      settings: { mail, mail_from: 'Shop <shop@example.com>', payment: 'test',
        allow_test_payments: 'yes', ...settings },
      ...rest,
    });
    this.file = this.settings.database.replace(/^sqlite:/, ''); // of SQLite alone
  }

  // The port is free the first time and the same ever after.
  async start() {
    this.log = [];
    if (!this.port) this.settings.listen = `127.0.0.1:${await freePort()}`;
    return super.start();
  }

  get pid() {
    return this.child.pid;
  }

  get running() {
    return this.child?.exitCode === null && this.child.signalCode === null;
  }

  flags(settings = {}) {
    return Object.entries({ ...this.settings, ...settings })
      .map(([name, value]) => `--${name.replaceAll('_', '-')}=${value}`);
  }

  /* A server that is to refuse to start: exits with `exit` and a line that matches `words`. `wrap` is a
   * command to run it by. One that serves instead is ended in time, and its code is another. */
  async refuses(words, { settings, wrap = [], exit = 1 } = {}) {
    const [file, ...args] = [...wrap, join(buildDir, PROGRAM), 'serve', ...this.flags(settings)];
    const { code, signal, stderr } = await execute(file, args, { timeout: HANG_MS }).then(
      (done) => ({ code: 0, signal: null, ...done }), (error) => error);
    assert.equal(signal, null, stderr);
    assert.equal(code, exit, stderr);
    const lines = stderr.trim().split('\n');
    assert.ok(lines.some((line) => words.test(line)), stderr);
    assert.ok(lines.every((line) => /^(\{"time":|servery: )/.test(line)), stderr);
  }

  // What SQL statements answer, as text.
  query(text) {
    return sql(this.settings.database, text);
  }

  // The program and SQLite itself find the data sound.
  async checkData() {
    await super.checkData();
    if (onPostgresql) return;
    assert.equal(await this.query('PRAGMA integrity_check'), 'ok');
    assert.equal(await this.query('PRAGMA foreign_key_check'), '');
  }

  // For t.after: whatever became of the test.
  async remove() {
    if (this.running) await this.kill();
    this.removeData();
  }
}
