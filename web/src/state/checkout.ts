/* An order on its way from the cart to its payment.
 *
 * The draft (how, where to, a note) stays in the tab until it has become an order. An attempt to
 * place it stays until the server has answered: whoever gets no answer asks again with the same
 * key, which cannot order twice, also after a reload. An answer ends the attempt, and the next tap
 * has a new key: a key stands for one payment for good, whatever becomes of that. */
import { signal } from '@preact/signals';
import { CallError, type Fulfilment, type Order, type Payment, call, newKey } from '../api';
import { MONEY_MAX } from '../format';
import { lines, settled } from './cart';
import { reachable, whenReachedAgain } from './connection';
import { hasShape, inBrowser, inTab } from './kept';
import { me } from './session';

export const TEXT_MAX = 500; // of an address and of a note, in characters

export interface Draft {
  user: number;
  fulfilment: Fulfilment | null;
  address: string;
  note: string;
}

interface Body { fulfilment: Fulfilment; address?: string; note?: string; expected_total: number }

interface Attempt { user: number; key: string; body: Body; cart: string; at: number }

export type Placed = { order: Order } | { payment: Payment };
export type Waiting = 'unreachable' | 'busy' | 'provider' | 'preparing';

const ATTEMPT_MS = 10 * 60_000;
const AGAIN_MS = 2500;

/* ---- The draft ---- */

function isFulfilment(kept: unknown): boolean {
  return kept === 'pickup' || kept === 'delivery';
}

function isDraft(kept: unknown): boolean {
  return hasShape({ user: 'number', address: 'string', note: 'string' })(kept)
    && ((kept as Draft).fulfilment === null || isFulfilment((kept as Draft).fulfilment));
}

function freshDraft(): Draft {
  const fulfilment = inBrowser.get<Fulfilment>('fulfilment', isFulfilment);
  return { user: me.peek()?.id ?? 0, fulfilment, address: '', note: '' };
}

const kept = signal<Draft | null>(inTab.get<Draft>('order', isDraft));

export function draft(): Draft {
  return kept.value && kept.value.user === me.value?.id ? kept.value : freshDraft();
}

export function editDraft(change: Partial<Draft>) {
  kept.value = { ...draft(), ...change };
  inTab.set('order', kept.value);
  if (change.fulfilment)
    inBrowser.set('fulfilment', change.fulfilment);
}

/* It has become an order: the next one begins with no note. */
export function endDraft() {
  kept.value = null;
  inTab.set('order', null);
  inTab.set('order.attempt', null);
}

/* ---- The attempt ---- */

function cartMark(): string {
  return lines.peek().map((line) => `${line.food_id}x${line.quantity}`).sort().join(' ');
}

function bodyOf({ fulfilment, address, note }: Draft, expectedTotal: number): Body {
  return {
    fulfilment: fulfilment ?? 'pickup',
    ...(fulfilment === 'delivery' ? { address: address.trim() } : {}),
    ...(note.trim() ? { note: note.trim() } : {}),
    expected_total: Math.min(expectedTotal, MONEY_MAX), // of a larger cart the shop says what is wrong with it
  };
}

function isAttempt(kept: unknown): boolean {
  return hasShape({ user: 'number', key: 'string', cart: 'string', at: 'number' })(kept)
    && hasShape({ expected_total: 'number' })((kept as Attempt).body);
}

/* An attempt that got no answer yet; the cart may be empty because it came through all the same. */
export function openAttempt(): Attempt | null {
  const attempt = inTab.get<Attempt>('order.attempt', isAttempt);
  const mark = cartMark();
  const isOurs = attempt && attempt.user === me.peek()?.id && Date.now() - attempt.at < ATTEMPT_MS;
  return isOurs && (mark === '' || mark === attempt.cart) ? attempt : null;
}

function keptAttempt(body: Body): Attempt | null {
  const had = openAttempt();
  return had && JSON.stringify(had.body) === JSON.stringify(body) ? had : null;
}

function newAttempt(body: Body): Attempt {
  return { user: me.peek()?.id ?? 0, key: newKey(), body, cart: cartMark(), at: Date.now() };
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = () => {
      clearTimeout(timer);
      end();
      stop.removeEventListener('abort', finish);
      if (stop.aborted)
        reject(stop.reason as Error);
      else
        resolve();
    };
    const end = whenReachedAgain(finish);
    const timer = setTimeout(finish, stop.aborted ? 0 : ms);
    stop.addEventListener('abort', finish);
  });
}

const DEAD = ['payment_expired', 'payment_failed', 'payment_cancelled', 'idempotency_key_reused'];

interface Answer { placed?: Placed; waiting?: Waiting; waitMs: number }

function judge(error: unknown): Answer {
  if (!(error instanceof CallError))
    throw error;
  if (error.status === 0)
    return { waiting: 'unreachable', waitMs: 2 * AGAIN_MS };
  if (error.status === 503)
    return { waiting: error.code === 'provider_unavailable' ? 'provider' : 'busy', waitMs: error.retryAfterS ? error.retryAfterS * 1000 : AGAIN_MS };
  if (error.code === 'payment_required') {
    const payment = error.problem.payment as Payment;
    return payment.checkout_url ? { placed: { payment }, waitMs: 0 }
      : { waiting: 'preparing', waitMs: AGAIN_MS };
  }
  throw error;
}

async function ask(attempt: Attempt): Promise<Answer> {
  try {
    const order = await call('post', '/api/orders', { body: attempt.body, key: attempt.key });
    return { placed: { order }, waitMs: 0 };
  } catch (error) {
    return judge(error);
  }
}

/* Asks until there is an answer. Throws the CallError of a refusal, which changed nothing. Only a payment
 * that was there before may be over, and makes way for another; one that the provider refuses at once
 * would be refused for ever. */
async function run(
  first: Attempt, wasSent: boolean, onWait: (why: Waiting) => void, stop: AbortSignal,
): Promise<Placed> {
  let attempt = first;
  for (let mayBeOver = wasSent; ;) {
    inTab.set('order.attempt', attempt);
    try {
      const { placed, waiting, waitMs } = await ask(attempt);
      if (placed) {
        inTab.set('order.attempt', null);
        return placed;
      }
      onWait(waiting!);
      mayBeOver = true;
      await pause(waitMs, stop);
      while (!reachable.peek())
        await pause(AGAIN_MS, stop);
    } catch (error) {
      if (!(error instanceof CallError))
        throw error; // the page was left: the attempt stays
      inTab.set('order.attempt', null);
      if (stop.aborted || !mayBeOver || !DEAD.includes(error.code ?? ''))
        throw error;
      mayBeOver = false;
      attempt = { ...attempt, key: newKey(), at: Date.now() }; // the old key's payment is over
    }
  }
}

/* Orders what is in the cart as the draft says, for the total that was shown. */
export async function place(shownTotal: number, onWait: (why: Waiting) => void, stop: AbortSignal) {
  await settled();
  const body = bodyOf(draft(), shownTotal);
  const had = keptAttempt(body);
  return run(had ?? newAttempt(body), had !== null, onWait, stop);
}

export function resume(attempt: Attempt, onWait: (why: Waiting) => void, stop: AbortSignal) {
  return run(attempt, true, onWait, stop);
}
