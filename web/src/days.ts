/* Calendar days, written as the API writes them: 2026-01-31. They are the shop's days, whatever day
 * it is where the reader sits. */
import { dayOf } from './format';
import { LANGUAGE } from './language';
import { serverNow } from './state/clock';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const FARTHEST_MS = 15 * 60 * MINUTE_MS; // a zone's midnight is that near to the one in UTC

const utc = (day: string) => Date.parse(`${day}T00:00:00Z`);

export function isDay(text: string | undefined): text is string {
  return /^\d{4}-\d\d-\d\d$/.test(text ?? '') && !Number.isNaN(utc(text!)) && addDays(text!, 0) === text;
}

export function addDays(day: string, n: number): string {
  return new Date(utc(day) + n * DAY_MS).toISOString().slice(0, 10);
}

/* How many days it is from the one to the other. */
export function daysBetween(from: string, to: string): number {
  return Math.round((utc(to) - utc(from)) / DAY_MS);
}

export function today(): string {
  return dayOf(serverNow());
}

/* The first minute of a day in the shop's zone, for what asks for moments. A search, because a
 * midnight may be one that the zone skips. */
export function dayBegins(day: string): string {
  let before = utc(day) - FARTHEST_MS;
  let within = utc(day) + FARTHEST_MS;
  while (within - before > MINUTE_MS) {
    const middle = before + Math.floor((within - before) / 2 / MINUTE_MS) * MINUTE_MS;
    if (dayOf(middle) < day)
      before = middle;
    else
      within = middle;
  }
  return new Date(within).toISOString();
}

const SHORT: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short' };

export function dayText(day: string, options = SHORT, language = LANGUAGE): string {
  return new Date(utc(day)).toLocaleDateString(language, { ...options, timeZone: 'UTC' });
}

/* 3 Jan – 9 Jan, with the year where it is not this one. */
export function rangeText(from: string, to: string): string {
  const year = today().slice(0, 4);
  const isThisYear = from.startsWith(year) && to.startsWith(year);
  const options: Intl.DateTimeFormatOptions = isThisYear ? SHORT : { ...SHORT, year: 'numeric' };
  return from === to ? dayText(from, options) : `${dayText(from, options)} – ${dayText(to, options)}`;
}
