// Customers who order as the documentation tells them: each call has an Idempotency-Key, and one without
// an answer, or with 502, 503 or 504, is made again with it. What was acknowledged is in their books.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { exchange, parseAnswer } from '../lib/client.mjs';
import { checkAnswer } from '../lib/openapi.mjs';
import { addFood, logInAdmin, signUp } from '../lib/shop.mjs';

const PAUSE_MS = 50; // of a client before it asks again
const AGAIN = [502, 503, 504];
const STOCK = 1000000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Worker {
  constructor(load, token) {
    this.load = load;
    this.token = token;
  }

  async once(method, path, headers, body) {
    const got = await exchange(this.load.shop, { method, path, headers, body });
    if (AGAIN.includes(got.status)) return null;
    const answer = parseAnswer({ method, path, ...got, request: { headers } });
    checkAnswer(answer);
    return answer;
  }

  /* Asks until there is an answer, which must have the status. */
  async ask(method, path, body, status = 200) {
    const headers = {
      authorization: `Bearer ${this.token}`,
      ...(body && { 'content-type': 'application/json' }),
      ...(method === 'POST' && { 'idempotency-key': randomUUID() }),
    };
    for (;;) {
      const answer = await this.once(method, path, headers, body && JSON.stringify(body))
        .catch((error) => {
          if (!error.code?.startsWith('E') || error.code.startsWith('ERR_')) throw error;
          return null;
        });
      if (answer) {
        assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
        this.load.answered();
        return answer.body;
      }
      this.load.again(method, path);
      await sleep(PAUSE_MS);
    }
  }

  async run() {
    while (!this.load.halting) await this.turn();
  }
}

class Customer extends Worker {
  orders = []; // {id, note, food, quantity}

  async turn() {
    const food = this.load.foods[this.orders.length % this.load.foods.length];
    const quantity = 1 + this.orders.length % 3;
    const note = randomUUID();
    await this.ask('POST', '/api/cart/items', { food_id: food.id, quantity });
    const { payment } = await this.ask('POST', '/api/orders', { fulfilment: 'pickup', note }, 402);
    await this.ask('POST', `/api/payments/${payment.id}/simulate`, { outcome: 'paid' });
    const order = await this.ask('POST', '/api/orders', { payment_id: payment.id });
    this.orders.push({ id: order.id, note, food: food.id, quantity });
    this.load.ordered();
  }

  // One order for each acknowledged one, and no other.
  async verify() {
    const found = [];
    for (let cursor = ''; cursor !== null;) {
      const page = await this.ask('GET', `/api/orders?limit=100${cursor && `&cursor=${cursor}`}`);
      found.push(...page.items);
      cursor = page.next_cursor;
    }
    const books = found.map(({ id, note, items }) =>
      ({ id, note, food: items[0].food_id, quantity: items[0].quantity }));
    assert.ok(found.every(({ items, payment }) => items.length === 1 && payment.status === 'paid'));
    assert.deepEqual(books.sort((a, b) => a.id - b.id), this.orders.sort((a, b) => a.id - b.id));
  }
}

class Reader extends Worker {
  async turn() {
    await this.ask('GET', '/api/foods');
    await this.ask('GET', '/api/cart');
    await this.ask('GET', '/api/orders');
  }
}

export class Load {
  count = 0;   // calls with an answer
  orders = 0;
  repeated = []; // calls that were made again
  halting = false;
  #watchers = new Set();

  constructor(shop) {
    this.shop = shop;
  }

  async prepare({ customers = 12, readers = 2 } = {}) {
    const admin = await logInAdmin(this.shop);
    this.foods = [await addFood(admin, { stock: STOCK }), await addFood(admin, { stock: STOCK })];
    const users = await Promise.all(
      Array.from({ length: customers + readers }, () => signUp(this.shop)));
    this.customers = users.slice(readers).map((user) => new Customer(this, user.token));
    this.readers = users.slice(0, readers).map((user) => new Reader(this, user.token));
    return this;
  }

  #wake() {
    for (const look of [...this.#watchers]) look();
  }

  answered() {
    this.count++;
    this.#wake();
  }

  ordered() {
    this.orders++;
    this.#wake();
  }

  again(method, path) {
    this.repeated.push(`${method} ${path}`);
    this.#wake();
  }

  start() {
    this.halting = false;
    this.runs = [...this.customers, ...this.readers].map((worker) => worker.run().catch((error) => {
      this.failed ??= error;
      this.#wake();
    }));
  }

  // When the condition holds, which is looked at after each answer and each lack of one.
  until(condition) {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!this.failed && !condition()) return;
        this.#watchers.delete(look);
        if (this.failed) reject(this.failed);
        else resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  // When n more orders are acknowledged.
  more(n) {
    const goal = this.orders + n;
    return this.until(() => this.orders >= goal);
  }

  // Nobody begins another order, and each ends his own.
  async halt() {
    this.halting = true;
    await Promise.all(this.runs);
    if (this.failed) throw this.failed;
  }

  async verify() {
    await Promise.all(this.customers.map((customer) => customer.verify()));
    for (const { id } of this.foods) {
      const sold = this.customers.flatMap(({ orders }) => orders)
        .reduce((sum, { food, quantity }) => sum + (food === id ? quantity : 0), 0);
      const { stock } = await this.customers[0].ask('GET', `/api/foods/${id}`);
      assert.equal(stock, STOCK - sold, `stock of food ${id}`);
    }
  }
}
