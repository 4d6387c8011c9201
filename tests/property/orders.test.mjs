// Random sequences of what customers, the kitchen, the payment provider, the clock and a power cut
// do, on the real program and on a model of it (model.mjs). After each step all that can be read
// from the program must be what the model says, and at the end `servery check` must find nothing.
//
//   RUNS=1000   more sequences than the few of script/test
//   SEED=42     the sequences of that run; a failure prints its seed and the shortest it found
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { startProvider } from '../lib/provider.mjs';
import { Model } from './model.mjs';
import { makeTemplate, RandomShop, WAYS } from './shop.mjs';

const RUNS = Number(process.env.RUNS ?? 100);
const REMOTE_SHARE = 4; // every run of these is one with a remote provider
const STEPS = 60;
const CUSTOMERS = 3;
// To fight for, to last, not counted, and for nothing.
const FOODS = [{ price: 100, stock: 3 }, { price: 250, stock: 40 }, { price: 70, stock: null },
  { price: 0, stock: 5 }];

/* ---- One step ---- */

const STOCK_READERS = ['food', 'restock'];

class Step {
  constructor(op) {
    this.op = op;
  }

  toString() {
    return JSON.stringify(this.op);
  }

  // What speaks of payments or orders needs one.
  check({ model }) {
    return [this.op, this.op.during, ...(this.op.ops ?? [])].filter(Boolean).every((op) =>
      (op.payment === undefined || model.payments.length > 0) &&
      (op.order === undefined || model.orders.length > 0));
  }

  async run(state, real) {
    const { model } = state;
    const op = resolved(this.op, model);
    await this[HANDLED.includes(op.do) ? op.do : 'call'](op, state, real);
  }

  async call(op, state, real) {
    const { model } = state;
    if (STOCK_READERS.includes(op.do)) await real.settle(model);
    const answers = await real.send(op, model);
    const due = model[op.do](op);
    for (const answer of answers) agree(answer, due);
    await real.compare(model, await real.read());
  }

  async wait({ minutes }, { model }, real) {
    await real.wait(model, minutes);
    await real.compare(model, await real.read());
  }

  async confirm({ payment }, { model }, real) {
    if (model.payments[payment].status !== 'cancelling') return;
    await real.confirm(model, model.payments[payment]);
    await real.compare(model, await real.read());
  }

  // One customer changes his mind again and again.
  async fuss({ by, times }, state, real) {
    for (let i = 0; i < times; i++) {
      const way = `pickup ${1 + i % 2}`;
      await this.call({ do: 'place', by, way }, state, real);
    }
  }

  // Two calls at once: what comes of it is what one order of the two gives.
  async together({ ops }, state, real) {
    const { model } = state;
    await real.settle(model);
    const answers = await Promise.all(ops.map((op, i) => real.send(op, model, i)));
    await this.choose(state, real, [[0, 1], [1, 0]].map((order) => (candidate) => {
      for (const i of order) {
        const due = candidate[ops[i].do](ops[i]);
        for (const answer of answers[i]) agree(answer, due);
      }
    }));
  }

  // kill -9: what was answered is done; what was not, is done or not, and never half.
  async crash({ during, ms }, state, real) {
    const { model } = state;
    await real.settle(model);
    const op = during && { ...during, ...(during.create && { create: 'answer' }) };
    const answers = await real.crash(op, model, ms);
    const apply = (variant) => (candidate) => {
      const due = candidate[variant.do](variant);
      for (const answer of answers) if (answer) agree(answer, due);
    };
    const nothing = () => assert.ok(answers.every((answer) => !answer));
    // With a remote provider, between its two transactions.
    const between = (candidate) => { nothing(); candidate[op.do]({ ...op, create: 'down' }); };
    await this.choose(state, real, !op ? [nothing]
      : [apply(op), nothing, ...(model.remote ? [between] : [])]);
    if (model.remote) await real.wait(state.model, 1); // claims of the dead run out
  }

  // Goes on with the first course of events that fits what was answered and what is there.
  async choose(state, real, courses) {
    const read = await real.read();
    const failures = [];
    for (const course of courses) {
      const candidate = state.model.clone();
      try {
        course(candidate);
        await real.compare(candidate, read);
        state.model = candidate;
        return;
      } catch (error) {
        failures.push(error.message);
      }
    }
    assert.fail(`nothing that may have happened fits:\n\n${failures.join('\n\n')}`);
  }
}

const HANDLED = ['wait', 'confirm', 'fuss', 'together', 'crash'];

/* Payments and orders are named by any number; the next status is that of the order, and what a
 * customer says it costs what he has seen before he calls. */
function resolved(op, model) {
  const copy = { ...op };
  if (op.do === 'place') copy.said = model.expectedTotal(op);
  if (op.payment !== undefined) copy.payment = op.payment % model.payments.length;
  if (op.order !== undefined) copy.order = op.order % model.orders.length;
  if (op.to === 'next') [copy.to = 'completed'] = model.steps(model.orders[copy.order]);
  if (op.during) copy.during = resolved(op.during, model);
  if (op.ops) copy.ops = op.ops.map((one) => resolved(one, model));
  return copy;
}

function agree(answer, { status, code, payment, order }) {
  assert.ok(answer, 'an answer was lost');
  const { body } = answer;
  assert.deepEqual({ status: answer.status, code: body?.code }, { status, code },
    `${answer.method} ${answer.path}: ${answer.text}`);
  const told = [[payment, answer.status === 402 ? body.payment : body],
    [order, body]].filter(([thing]) => thing && [200, 201, 402].includes(answer.status));
  for (const [thing, { id }] of told) assert.equal(id, thing.id ??= id, 'the id');
}

/* ---- What can happen ---- */

const by = fc.nat({ max: CUSTOMERS - 1 });
const food = fc.nat({ max: FOODS.length - 1 });
const any = fc.nat({ max: 50 });
const op = (name, members) => fc.record({ do: fc.constant(name), ...members });
const weighted = (table) =>
  fc.oneof(...table.map(([weight, arbitrary]) => ({ weight, arbitrary })));
const mostly = (value, ...others) =>
  weighted([[2, fc.constant(value)], [1, fc.constantFrom(...others)]]);

const STATUSES = ['pending', 'confirmed', 'preparing', 'ready', 'out_for_delivery', 'completed',
  'cancelled'];

function calls(remote) {
  const create = remote ? { create: mostly('answer', 'down', 'lost', 'paid', 'refuse') } : {};
  return [
    [6, op('add', { by, food, quantity: mostly(1, 2, 3, 4, 60) })],
    [2, op('set', { by, food, quantity: mostly(1, 0, 2, 4, 99) })],
    [1, op('remove', { by, food })],
    [0.4, op('clear', { by })],
    [7, op('place', { by, way: mostly('pickup', ...Object.keys(WAYS).slice(1)),
      expected: mostly('none', 'right', 'wrong', 'frozen'), ...create })],
    [2, op('collect', { by, payment: any, ...create })],
    [2, op('giveUp', { by, payment: any })],
    [5, op('simulate', { payment: any, outcome: mostly('paid', 'failed'),
      times: mostly(1, 2, 10) })],
    [1, op('received', { payment: any })],
    [1, op('food', { food, price: mostly(100, 0, 250) })],
    [1, op('food', { food, available: fc.boolean() })],
    [2, op('food', { food, stock: mostly(4, 0, 1, null) })],
    [0.7, op('restock', { food, add: mostly(2, -1, -5) })],
    [0.3, op('archive', { food })],
    [9, op('move', { order: any, to: weighted([[4, fc.constant('next')],
      [2, fc.constant('cancelled')], [1, fc.constantFrom(...STATUSES)]]),
      byCustomer: mostly(false, true, false) })],
  ].map(([weight, arbitrary]) => [Math.ceil(weight * 10), arbitrary]);
}

function steps(remote) {
  const one = weighted(calls(remote));
  const table = [...calls(remote),
    [40, op('wait', { minutes: fc.constantFrom(8, 16, 61) })],
    [10, op('crash', { during: one, ms: fc.integer({ min: 0, max: 4 }) })],
    [4, op('fuss', { by, times: mostly(22, 2, 3) })],
    remote ? [10, op('confirm', { payment: any })]
      : [25, op('together', { ops: fc.tuple(one, one) })],
  ];
  return fc.commands([weighted(table).map((made) => new Step(made))],
    { maxCommands: STEPS, size: 'max' });
}

/* ---- The property ---- */

let template;
let provider;

before(async () => {
  template = await makeTemplate({ foods: FOODS, customers: CUSTOMERS });
  provider = await startProvider();
});
after(async () => {
  await provider.close();
  template.shop.removeData();
});

async function holds(t, { remote, runs }) {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  t.diagnostic(`SEED=${seed} RUNS=${RUNS}`);
  let count = 0;
  const property = fc.asyncProperty(steps(remote), async (commands) => {
    provider.payments.clear();
    const real = new RandomShop(template, remote ? provider : undefined);
    const state = { model: new Model({ foods: FOODS, customers: CUSTOMERS, remote }) };
    try {
      await real.start();
      await fc.asyncModelRun(() => ({ model: state, real }), commands);
      await real.settle(state.model);
      await real.compare(state.model, await real.read());
      await real.shop.end();
      await real.shop.checkData();
      // A 503 is one only when the provider gave no answer, which the model knows.
      assert.deepEqual(real.shop.log.filter(({ level, status }) =>
        level === 'error' && status !== 503), []);
      count += [...commands].length;
    } finally {
      await real.remove();
    }
  });
  await fc.assert(property, { seed, numRuns: runs, includeErrorInReport: true });
  t.diagnostic(`${runs} sequences, ${count} steps`);
}

test('orders: random sequences leave the program as they leave the model', (t) =>
  holds(t, { remote: false, runs: RUNS }));

test('orders: random sequences with a remote provider do', (t) =>
  holds(t, { remote: true, runs: Math.ceil(RUNS / REMOTE_SHARE) }));
