/* What a payment's states, reasons and events mean, in the words of somebody who runs a shop. */
import { Ban, CircleCheck, CircleX, Clock3, Hourglass, type LucideIcon, TriangleAlert, Undo2 } from 'lucide-preact';
import type { AdminPayment, PaymentEvent, PaymentReason, PaymentStatus } from '../api';
import { money, plural } from '../format';

export type Reason = NonNullable<PaymentReason>;

export interface State { icon: LucideIcon; word: string; kind: 'wait' | 'good' | 'bad' | '' }

export const STATES: Record<PaymentStatus, State> = {
  creating: { icon: Hourglass, word: 'Being made', kind: 'wait' },
  pending: { icon: Clock3, word: 'Waiting', kind: 'wait' },
  paid: { icon: CircleCheck, word: 'Paid', kind: 'good' },
  failed: { icon: CircleX, word: 'Failed', kind: '' },
  expired: { icon: Ban, word: 'Expired', kind: '' },
  cancelling: { icon: Hourglass, word: 'Being given up', kind: 'wait' },
  cancelled: { icon: Ban, word: 'Given up', kind: '' },
};

/* What is open comes before what it is. */
export function stateOf({ status, needs_attention, refund_due }: AdminPayment): State {
  if (needs_attention)
    return { icon: TriangleAlert, word: 'Needs attention', kind: 'bad' };
  return refund_due ? { icon: Undo2, word: 'Refund due', kind: 'wait' } : STATES[status];
}

export function nameOf({ customer }: AdminPayment): string {
  return customer.name ?? customer.email;
}

export function dishes(items: { name: string; quantity: number }[], most = Infinity): string {
  const shown = items.slice(0, most).map(({ name, quantity }) => `${quantity} × ${name}`);
  const rest = items.length - shown.length;
  return shown.join(', ') + (rest > 0 ? ` and ${plural(rest, 'other dish', 'other dishes')}` : '');
}

/* The money that came, as the newest event says that tells of any. */
export function moneyThatCame({ events }: AdminPayment): string | null {
  const paid = events.findLast((event) => event.paid)?.paid;
  return paid ? money(paid.amount, paid.currency) : null;
}

export const REASONS: Record<Reason, { what: string; todo: string }> = {
  paid_amount_mismatch: {
    what: 'Another amount came than was asked for, so no order was made.',
    todo: 'Pay it back, or ask the customer for the rest and agree on the order with them.',
  },
  paid_currency_mismatch: {
    what: 'Money came in another currency than was asked for, so no order was made.',
    todo: 'Pay it back.',
  },
  paid_after_cancel: {
    what: 'The customer had given this payment up, and then the money came. No order was made.',
    todo: 'Pay it back. If they still want the dishes, they can order again.',
  },
  paid_late_unavailable: {
    what: 'The money came after the time was up, and a dish could not be had any more. No order was made.',
    todo: 'Pay it back; or put the dish back on the menu, then make the order.',
  },
  paid_late_newer_payment: {
    what: 'The money came after the time was up, while the customer was paying for another cart. No order was made.',
    todo: 'Ask which one they want: pay this one back, or make its order when the other one is over.',
  },
  paid_after_resolution: {
    what: 'Money came after this had been settled. No order was made, for the first money may have gone back.',
    todo: 'See in the history what was done. Then pay it back, or make the order after all.',
  },
  provider_gone: {
    what: 'The payment service it was made with is no longer set up, so nobody knows whether it was paid.',
    todo: 'Look into your account there. If it was paid, make the order; if not, mark it as done.',
  },
};

const BESIDE_ORDER = {
  what: 'This payment has made its order. Beside that, money came that fits nothing.',
  todo: 'See in the history what came, pay back what is too much, and say so here.',
};

export function reasonOf({ needs_attention, order_id }: AdminPayment) {
  if (!needs_attention)
    return null;
  return order_id ? BESIDE_ORDER : REASONS[needs_attention];
}

/* Whether an admin's word can still make the order. */
export function canMakeOrder({ status, needs_attention }: AdminPayment): boolean {
  const isLate = ['expired', 'failed', 'cancelling'].includes(status) || needs_attention === 'provider_gone';
  return isLate && needs_attention !== 'paid_amount_mismatch' && needs_attention !== 'paid_currency_mismatch';
}

const WORDS: Record<PaymentEvent['what'], string> = {
  flagged: 'Needs attention',
  refund_due: 'The order was cancelled: the money is owed back',
  cleared: 'Came right by itself',
  resolved: 'Marked as done',
  reopened: 'Opened again',
  noted: 'A note',
};

export function eventWords({ what, reason, refund_due, paid, by }: PaymentEvent): string {
  if (what === 'flagged')
    return `${paid ? `${money(paid.amount, paid.currency)} came. ` : ''}${reason ? REASONS[reason].what : ''}`;
  if (what === 'resolved' && refund_due && !reason)
    return 'Marked as refunded';
  if (what === 'cleared' && by)
    return 'The order could be made';
  return WORDS[what];
}
