/* What a call that failed says to people: what happened, what was kept, what to do. The server's
 * own sentence is shown where this page knows none that fits better. */
import { CallError } from './api';
import { waitText } from './format';
import { LINES_MAX } from './state/guest';
import { foodById } from './state/menu';

function foodNames(error: CallError): string {
  const ids = [...new Set(error.rows.map((row) => row.food_id).filter((id) => id !== undefined))];
  return ids.map((id) => foodById.peek().get(id)?.name ?? 'a dish that is gone').join(', ');
}

export const CART_FULL = `A cart holds ${LINES_MAX} different dishes. Take one out first.`;

const SENTENCES: Record<string, (error: CallError) => string> = {
  out_of_stock: (error) => (foodNames(error)
    ? `Sold out while you were choosing: ${foodNames(error)}. The rest of your cart is safe.`
    : 'There are not that many left.'),
  food_unavailable: (error) => (foodNames(error)
    ? `Not available any more: ${foodNames(error)}. The rest of your cart is safe.`
    : 'The kitchen has just taken this off the menu.'),
  food_not_found: () => 'This dish is no longer on the menu.',
  unauthenticated: () => 'Your session has ended. Nothing is lost: log in and go on.',
  too_many_payments: () => 'Too many payments of the last hour were begun and not paid. Your cart is safe.',
  cart_full: () => CART_FULL,
  payment_failed: () => 'The payment service did not take this payment. Nothing was paid or ordered, and your cart is safe: '
    + 'try again a little later, or ask the shop.',
  total_too_large: () => 'This is more than one order can cost. Your cart is safe: take something out of it.',
  stock_not_counted: () => 'Somebody has stopped counting this dish, so nothing was changed. Type a number to count it again.',
  version_conflict: () => 'Somebody else has changed this meanwhile. It now shows how it is; please look again.',
  unavailable: () => 'The shop is very busy. Nothing was changed; please try again in a moment.',
  otp_cooldown: () => 'A code is on its way to this address already.',
  internal: () => 'Something broke on our side. Please try again.',
};

/* What the server says, as a sentence. */
export function ended(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

function sentence(error: CallError): string {
  if (error.status === 0)
    return 'No connection to the shop. Nothing is lost; please try again.';
  const own = error.code && SENTENCES[error.code];
  if (own)
    return own(error);
  return error.rows.length ? error.rows.map((row) => ended(row.detail)).join(' ') : ended(error.message);
}

export function explain(error: unknown): string {
  if (!(error instanceof CallError))
    return 'Something went wrong on this page. Please reload it.';
  const wait = error.retryAfterS && error.status === 429 ? ` Try again in ${waitText(error.retryAfterS)}.` : '';
  return sentence(error) + wait;
}
