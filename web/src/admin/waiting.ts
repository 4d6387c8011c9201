/* The payments that only a person can settle: money to confirm, flags, money owed back. */
import { type AdminPayment, call } from '../api';
import { today } from '../days';
import { count } from '../language';

const PAGE = 100;

/* A transfer, or cash at the counter: nobody but the staff knows whether it came. For the others
 * their provider speaks; they wait for the customer. */
const waitsForStaff = ({ provider }: AdminPayment) => provider === 'manual';

export async function readToConfirm(query: { q?: string; cursor?: string }) {
  const page = await call('get', '/api/admin/payments', {
    query: { ...query, status: 'pending', limit: PAGE } });
  return { ...page, items: page.items.filter(waitsForStaff) };
}

export interface Waiting {
  confirm: string; // "100+" says enough
  attention: number;
  refund: number;
}

export async function readWaiting(): Promise<Waiting> {
  const day = today();
  const [{ now }, { items, next_cursor }] = await Promise.all([
    call('get', '/api/admin/summary', { query: { from: day, to: day } }),
    readToConfirm({}),
  ]);
  return {
    confirm: count(items.length) + (items.length > 0 && next_cursor ? '+' : ''),
    attention: now.needs_attention, refund: now.refund_due,
  };
}
