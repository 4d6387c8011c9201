/* Money and time as people of the shop write them: its currency, its time zone, the reader's
 * language. */
import { LANGUAGE, count, plainDigits } from './language';
import { shop } from './state/shop';
import { serverNow } from './state/clock';

const formats = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function cached<F extends Intl.NumberFormat | Intl.DateTimeFormat>(name: string, make: () => F): F {
  let format = formats.get(name) as F | undefined;
  if (!format) {
    format = make();
    formats.set(name, format);
  }
  return format;
}

function moneyFormat(currency: string, digits: number) {
  return cached(`money ${currency} ${digits}`, () => new Intl.NumberFormat(LANGUAGE, {
    style: 'currency', currency, currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: digits, maximumFractionDigits: digits,
  }));
}

/* An amount in the minor unit. Whole amounts are shown without the empty digits: ₦3,999. */
export function money(amount: number, currency = shop.value?.currency ?? 'XXX'): string {
  const exponent = shop.value?.currency_exponent ?? 2;
  const unit = 10 ** exponent;
  return moneyFormat(currency, amount % unit === 0 ? 0 : exponent).format(amount / unit);
}

/* ₦12K: for the scale of a chart, where there is no room. */
export function moneyShort(amount: number): string {
  const currency = shop.value?.currency ?? 'XXX';
  return cached(`short ${currency}`, () => new Intl.NumberFormat(LANGUAGE, {
    style: 'currency', currency, currencyDisplay: 'narrowSymbol', notation: 'compact', minimumFractionDigits: 0,
  })).format(amount / 10 ** (shop.value?.currency_exponent ?? 2));
}

function localDecimal(): string {
  return new Intl.NumberFormat(LANGUAGE).formatToParts(1.5).find(({ type }) => type === 'decimal')?.value ?? '.';
}

/* Which of the separators in an amount begins its minor part; '': none does. A single one before
 * three digits is one of thousands, except where the currency has that many digits. */
function decimalOf(text: string, exponent: number): string {
  const marks: string[] = text.match(/[.,]/g) ?? [];
  const last = marks.at(-1) ?? '';
  if (marks.length > 1)
    return marks.indexOf(last) === marks.length - 1 ? last : '';
  if (!/[.,]\d{3}$/.test(text) || exponent > 3)
    return last;
  return exponent === 3 && (last === '.' || last === localDecimal()) ? last : '';
}

/* The largest amount that the shop takes. */
export const MONEY_MAX = 10 ** 12;

/* Spaces and apostrophes are nothing but marks between thousands: 12 50 may be meant as 12.50. */
const THOUSANDS = /(\d)[\s'’](?=(\d{2,3}[\s'’])*\d{3}(?!\d))/g;

/* What is typed for a price: 1,999.50 or 1.999,50 or ₦1999.5. null: no amount. */
export function parseMoney(text: string): number | null {
  const exponent = shop.value?.currency_exponent ?? 2;
  const plain = plainDigits(text).trim().replace(/^\p{Sc}\s*|\s*\p{Sc}$/gu, '').replace(THOUSANDS, '$1');
  const decimal = decimalOf(plain, exponent);
  const [whole = '', part = ''] = decimal ? plain.split(decimal) : [plain];
  if (!/^(\d+|[1-9]\d{0,2}([.,]\d{2,3})*[.,]\d{3})$/.test(whole) || !/^\d*$/.test(part) || part.length > exponent)
    return null;
  const digits = whole.replace(/\D/g, '').replace(/^0+(?=\d)/, '');
  return digits.length > 13 ? null : Number(digits + part.padEnd(exponent, '0'));
}

/* An amount as it stands in a field that is typed in. */
export function plainMoney(amount: number): string {
  const exponent = shop.value?.currency_exponent ?? 2;
  return amount % 10 ** exponent === 0 ? String(amount / 10 ** exponent) : (amount / 10 ** exponent).toFixed(exponent);
}

function timeFormat(options: Intl.DateTimeFormatOptions) {
  const timeZone = shop.value?.timezone;
  return cached(`time ${timeZone} ${JSON.stringify(options)}`, () => {
    try {
      return new Intl.DateTimeFormat(LANGUAGE, { ...options, timeZone });
    } catch {
      return new Intl.DateTimeFormat(LANGUAGE, options); // a zone that this browser does not know
    }
  });
}

/* The shop's calendar day of a moment, as 2026-01-31, whatever calendar and digits the reader
 * uses. */
export function dayOf(time: number | string): string {
  const parts = timeFormat({
    year: 'numeric', month: '2-digit', day: '2-digit', calendar: 'gregory', numberingSystem: 'latn',
  }).formatToParts(new Date(time));
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
}

export function clock(time: number | string): string {
  return timeFormat({ hour: '2-digit', minute: '2-digit' }).format(new Date(time));
}

export function date(time: number | string): string {
  return timeFormat({ day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(time));
}

/* today 18:40, yesterday 18:40, 3 Jan 18:40, 3 Jan 2025 18:40 */
export function when(time: string): string {
  const now = serverNow();
  const day = dayOf(time);
  if (day === dayOf(now))
    return `today ${clock(time)}`;
  if (day === dayOf(now - 86_400_000))
    return `yesterday ${clock(time)}`;
  const isThisYear = day.slice(0, 4) === dayOf(now).slice(0, 4);
  const format = timeFormat({ day: 'numeric', month: 'short', ...(isThisYear ? {} : { year: 'numeric' }) });
  return `${format.format(new Date(time))} ${clock(time)}`;
}

export function minutesSince(time: string): number {
  return Math.max(0, Math.floor((serverNow() - Date.parse(time)) / 60_000));
}

/* 4:05, in minutes and seconds. */
export function countdown(ms: number): string {
  const left = Math.floor(ms / 1000);
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

export function waitText(seconds: number): string {
  return seconds < 100 ? plural(Math.ceil(seconds), 'second') : plural(Math.ceil(seconds / 60), 'minute');
}
