// The remote test provider: a payment provider behind HTTP on 127.0.0.1 (its protocol is told in
// src/net/provider.c), with the faults that tests need. It answers late, twice, never, refuses,
// pays while it is being cancelled, and tells its news when the test says so.
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { HANG_MS } from './server.mjs';

/* How a kind of call (create, look, cancel) is answered:
 *   'answer'   as it should be
 *   'lost'     it is done, but the connection breaks before the answer
 *   'down'     nothing is done, the connection breaks
 *   'hold'     it is done; the answer waits until release()
 *   'error'    500
 *   'garbage'  200 with a body that is none of ours
 *   'refuse'   (create) it is closed from the beginning
 *   'paid'     (create, cancel) it was paid first, or by crossing the cancel */
export class Provider {
  decide = undefined;   // (kind, key) → a mode, or nothing: then the modes that were set
  calls = [];           // {kind, key, body, mode}, in the order they came
  tells = null;         // the shop's port: whoever pays or declines on the page here, it is told at once
  payments = new Map(); // key → {key, id, state, amount, currency, returnUrl, expiresAt, creations}
  #modes = { create: ['answer'], look: ['answer'], cancel: ['answer'] };
  #held = [];
  #waiting = new Set();
  #server = createServer((req, res) => this.#handle(req, res));

  async start() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  async close() {
    this.release();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /* The modes of the next calls of a kind; the last one stays. */
  set(kind, ...modes) {
    this.#modes[kind] = modes;
  }

  // Lets every held answer go.
  release() {
    for (const go of this.#held.splice(0)) go();
  }

  // The payment the server knows by this id; its key begins with it.
  of(id) {
    return [...this.payments.values()].find(({ key }) => key.startsWith(`servery-${id}-`));
  }

  /* The customer pays there; by default what is asked. The server is not told. */
  pay(id, { amount, currency } = {}) {
    const payment = this.of(id);
    payment.state = 'paid';
    payment.amount = amount ?? payment.amount;
    payment.currency = currency ?? payment.currency;
  }

  fail(id) {
    this.of(id).state = 'failed';
  }

  /* Tells the server, `times` times at once, over the address it gave; gives the answers'
   * statuses. The address is the shop's public one: `port` is where it really listens. */
  tell(id, outcome, { port, times = 1 }) {
    const { pathname, hash } = new URL(this.of(id).returnUrl);
    const options = {
      host: '127.0.0.1', port, method: 'POST',
      path: `/api/payments/${pathname.split('/').pop()}/simulate`,
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${hash.slice(1)}` },
    };
    return Promise.all(Array.from({ length: times }, () => new Promise((resolve, reject) => {
      const req = request(options, (res) => { res.resume(); resolve(res.statusCode); });
      req.on('error', reject).end(JSON.stringify({ outcome }));
    })));
  }

  count(kind) {
    return this.calls.filter((call) => call.kind === kind).length;
  }

  /* Resolves with what `find` gives as soon as that is true; looked at after each call. */
  waitFor(find, what) {
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        settle(value);
      };
      const timer = setTimeout(() => end(reject, new Error(`the provider waited for ${what}`)),
        HANG_MS);
      const check = () => {
        const found = find();
        if (found) end(resolve, found);
      };
      this.#waiting.add(check);
      check();
    });
  }

  /* The page on which customers pay: what they choose there, and the way back to the shop. */
  async #page(res, id, chosen) {
    const payment = [...this.payments.values()].find((other) => other.id === id);
    if (!chosen) {
      res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
      res.end(`<!doctype html><title>Payment service</title><h1>Pay ${payment.amount} ${payment.currency}</h1>
        <form method="post"><button name="state" value="paid">Pay</button>
        <button name="state" value="failed">Decline</button></form><a href="${payment.returnUrl}">Back to the shop</a>`);
      return;
    }
    payment.state = new URLSearchParams(chosen).get('state');
    if (this.tells) await this.tell(payment.key.split('-')[1], payment.state, { port: this.tells });
    res.writeHead(303, { Location: payment.returnUrl }).end();
  }

  async #handle(req, res) {
    let text = '';
    for await (const chunk of req) text += chunk;
    const [, what, key, suffix] = req.url.split('/');
    if (what !== 'payments') {
      if (what === 'checkout') await this.#page(res, key, text);
      else res.writeHead(404).end();
      return;
    }
    const kind = suffix === 'cancel' ? 'cancel' : { PUT: 'create', GET: 'look' }[req.method];
    const modes = this.#modes[kind];
    const mode = this.decide?.(kind, key) ?? (modes.length > 1 ? modes.shift() : modes[0]);
    const body = text ? JSON.parse(text) : undefined;

    if (mode !== 'down' && mode !== 'error') this.#carryOut(kind, key, body, mode);
    this.calls.push({ kind, key, body, mode });
    for (const check of this.#waiting) check();
    if (mode === 'hold') await new Promise((resolve) => { this.#held.push(resolve); });
    this.#answer(res, key, mode);
  }

  // A payment is made once, however often it is asked for; a cancelled key makes none.
  #carryOut(kind, key, body, mode) {
    const known = this.payments.get(key);
    const payment = known ?? {
      key, id: `ref-${this.payments.size + 1}`, state: 'open', amount: 0, currency: 'NGN',
      creations: 0,
    };
    this.payments.set(key, payment);
    if (kind === 'create') {
      payment.creations++;
      Object.assign(payment, { returnUrl: body.return_url, expiresAt: body.expires_at });
      if (!known) Object.assign(payment, { amount: body.amount, currency: body.currency });
      if (mode === 'refuse') payment.state = 'closed';
    }
    if (mode === 'paid') payment.state = 'paid';
    if (kind === 'cancel' && payment.state === 'open') payment.state = 'closed';
  }

  #answer(res, key, mode) {
    if (mode === 'lost' || mode === 'down') {
      res.destroy();
      return;
    }
    if (mode === 'error' || mode === 'garbage') {
      res.writeHead(mode === 'error' ? 500 : 200, { 'Content-Type': 'text/html' });
      res.end('<h1>Something else</h1>');
      return;
    }
    const { id, state, amount, currency } = this.payments.get(key);
    res.writeHead(200, { 'Content-Type': 'application/json' });
    res.end(JSON.stringify({ id, state, url: `${this.url}/checkout/${id}`, amount, currency }));
  }
}

export const startProvider = () => new Provider().start();
