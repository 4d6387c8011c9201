// What people do in a shop, for tests that are about something else.
import assert from 'node:assert/strict';
import { Client } from './client.mjs';
import { ADMIN } from './server.mjs';

let count = 0;
export const unique = (word = 'user') => `${word}-${process.pid}-${++count}`;
export const PASSWORD = 'correct horse battery';

/* Signs up and verifies by the mailed code. Gives a Client with `user` and `password`. */
export async function signUp(server, members = {}) {
  const email = members.email ?? `${unique()}@example.org`;
  const password = members.password ?? PASSWORD;
  server.secrets.add(password);
  const anyone = new Client(server);
  const before = server.mails.filter((mail) => mail.to === email).length;
  const { body: pending } = await anyone.post('/api/signup', { ...members, email, password },
    { expect: 201 });
  server.secrets.add(pending.signup_token);
  const otp = await server.otp(email, before + 1);
  const { body } = await anyone.post('/api/verify-otp',
    { signup_token: pending.signup_token, otp }, { expect: 200 });
  return Object.assign(new Client(server, { token: body.token }), { user: body.user, password });
}

export async function logIn(server, identifier, password = PASSWORD) {
  server.secrets.add(password);
  const { body } = await new Client(server).post('/api/login', { identifier, password },
    { expect: 200 });
  return Object.assign(new Client(server, { token: body.token }), { user: body.user, password });
}

export const logInAdmin = (server) => logIn(server, ADMIN.email, ADMIN.password);

export async function addFood(admin, members = {}) {
  const { body } = await admin.post('/api/foods',
    { name: unique('Food'), price: 150000, ...members }, { expect: 201 });
  return body;
}

export async function stockOf(client, food) {
  return (await client.get(`/api/foods/${food.id}`)).body.stock;
}

/* Each entry is a food, or [food, quantity]. */
export async function fillCart(client, ...entries) {
  let cart;
  for (const entry of entries) {
    const [food, quantity] = Array.isArray(entry) ? entry : [entry, 1];
    cart = (await client.post('/api/cart/items', { food_id: food.id, quantity })).body;
  }
  return cart;
}

/* Places what is in the cart; gives the payment that is asked for. */
export async function place(client, members = {}, options = {}) {
  const { body } = await client.post('/api/orders', { fulfilment: 'pickup', ...members },
    { expect: 402, ...options });
  assert.equal(body.code, 'payment_required');
  client.server.secrets.add(checkoutToken(body.payment));
  return body.payment;
}

export function checkoutToken(payment) {
  return payment.checkout_url.split('#')[1];
}

// The checkout page of a payment, which knows its token and nothing else.
export function checkoutOf(server, payment) {
  return new Client(server, { token: checkoutToken(payment) });
}

export async function simulate(server, payment, outcome = 'paid', options) {
  const { body } = await checkoutOf(server, payment).post(
    `/api/payments/${payment.id}/simulate`, { outcome }, options);
  return body;
}

export async function collect(client, payment, options = { expect: 200 }) {
  return (await client.post('/api/orders', { payment_id: payment.id }, options)).body;
}

/* From foods to a paid order. */
export async function order(client, foods, members) {
  await fillCart(client, ...foods);
  const payment = await place(client, members);
  await simulate(client.server, payment);
  return collect(client, payment);
}

export async function move(admin, placed, status, options) {
  return (await admin.put(`/api/orders/${placed.id}/status`, { status }, options)).body;
}

// The way of an order from pending to `status`.
const WAYS = {
  pending: [],
  confirmed: ['confirmed'],
  preparing: ['confirmed', 'preparing'],
  ready: ['confirmed', 'preparing', 'ready'],
  out_for_delivery: ['confirmed', 'preparing', 'ready', 'out_for_delivery'],
  completed: { pickup: ['confirmed', 'preparing', 'ready', 'completed'],
    delivery: ['confirmed', 'preparing', 'ready', 'out_for_delivery', 'completed'] },
  cancelled: ['cancelled'],
};

export async function moveAlong(admin, placed, status) {
  const way = WAYS[status][placed.fulfilment] ?? WAYS[status];
  let moved = placed;
  for (const step of way) moved = await move(admin, placed, step);
  return moved;
}
