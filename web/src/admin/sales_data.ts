/* The figures of the sales page. Days are compared with the same weekdays of earlier weeks, because
 * a Friday is no Monday; and only days that are over, because half a day is no day. */
import { call, type Sales, type Summary } from '../api';
import { addDays, daysBetween, today } from '../days';
import { shop } from '../state/shop';

export type Day = Summary['days'][number];

export const DAYS_MAX = 366; // that the server tells of at once

export interface Period { from: string; to: string }

/* The last so many days, today among them. */
export function lastDays(n: number): Period {
  const to = today();
  return { from: addDays(to, 1 - n), to };
}

export function lengthOf({ from, to }: Period): number {
  return daysBetween(from, to) + 1;
}

export function sum(days: Day[]): Sales {
  const total = { orders: 0, cancelled: 0, revenue: 0 };
  for (const day of days) {
    total.orders += day.orders;
    total.cancelled += day.cancelled;
    total.revenue += day.revenue;
  }
  return total;
}

const EXACT_BELOW = 100; // units; of more, nobody wants the kobo of an average

/* What an order that was not cancelled came to. */
export function average({ orders, cancelled, revenue }: Sales): number {
  if (orders <= cancelled)
    return 0;
  const exact = revenue / (orders - cancelled);
  const unit = 10 ** (shop.value?.currency_exponent ?? 2);
  return exact < EXACT_BELOW * unit ? Math.round(exact) : Math.round(exact / unit) * unit;
}

/* Today and the two weeks before it. */
export async function readRecent() {
  const { days, now } = await call('get', '/api/admin/summary', { query: lastDays(15) });
  const at = (ago: number) => days[days.length - 1 - ago]!;
  return {
    now,
    today: at(0), todayThen: at(7),
    yesterday: at(1), yesterdayThen: at(8),
    week: days.slice(-8, -1), weekThen: days.slice(-15, -8),
  };
}

export type Recent = Awaited<ReturnType<typeof readRecent>>;

export interface Compared {
  summary: Summary;
  before: Summary;
  weeks: number; // how much earlier the other days are
  whole: { now: Sales; before: Sales } | null; // of the days that are over
  hasToday: boolean;
}

export async function readPeriod({ from, to }: Period): Promise<Compared> {
  const weeks = Math.ceil(lengthOf({ from, to }) / 7);
  const earlier = { from: addDays(from, -7 * weeks), to: addDays(to, -7 * weeks) };
  const [summary, before] = await Promise.all([
    call('get', '/api/admin/summary', { query: { from, to } }),
    call('get', '/api/admin/summary', { query: earlier }),
  ]);
  const over = summary.days.filter(({ date }) => date < today()).length;
  return {
    summary, before, weeks, hasToday: over < summary.days.length,
    whole: over ? { now: sum(summary.days.slice(0, over)), before: sum(before.days.slice(0, over)) } : null,
  };
}
