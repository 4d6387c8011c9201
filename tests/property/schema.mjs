// From a JSON schema of docs/openapi.yaml to fast-check arbitraries: values that it allows, and
// values near them that it may not.
import fc from 'fast-check';
import { description } from '../lib/openapi.mjs';

export function deref(value) {
  let at = value;
  while (at?.$ref)
    at = at.$ref.slice(2).split('/').reduce((object, key) =>
      object[key.replaceAll('~1', '/').replaceAll('~0', '~')], description);
  return at;
}

const TEXT_MAX = 40; // most texts are short; the limits are met by weight
const SAFE = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };

// Letters of many scripts, of one to four bytes, right to left ones and such as join; nothing that
// a plain text may not hold.
const LETTERS = [...'abcXYZ 0189.,-_@+/\'"<>&%=?#',
  ...'éßẹỌاש汉한ﬁ🍲\u0301\u200d\u{1F469}\u{1F1F3}\u{1F1EC}'];

export const plainText = (min = 0, max = TEXT_MAX) => fc.array(fc.constantFrom(...LETTERS), {
  minLength: min, maxLength: Math.max(min, Math.min(max, TEXT_MAX)),
}).map((letters) => letters.join(''));

function text({ minLength = 0, maxLength, pattern = '', format }) {
  if (format === 'date-time')
    return fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString());
  if (format === 'date')
    return text({ format: 'date-time' }).map((time) => time.slice(0, 10));
  if (pattern?.startsWith('^')) return fc.stringMatching(new RegExp(pattern, 'u'));
  const fits = new RegExp(pattern, 'u');
  const some = plainText(minLength, maxLength).filter((made) => fits.test(made));
  const longest = fc.constantFrom('a', 'ọ', '🍲').map((one) => one.repeat(maxLength));
  return maxLength === undefined ? some
    : fc.oneof({ weight: 3, arbitrary: some }, { weight: 1, arbitrary: longest });
}

// `hints` gives an arbitrary for a member by its name: an id that is there, an address.
export function valid(schema, hints = {}) {
  const { type, enum: list, const: only, anyOf, oneOf, allOf, ...rest } = deref(schema);
  if (list) return fc.constantFrom(...list);
  if (only !== undefined) return fc.constant(only);
  if (anyOf ?? oneOf) return fc.oneof(...(anyOf ?? oneOf).map((one) => valid(one, hints)));
  if (allOf) return valid(Object.assign({ type, ...rest }, ...allOf.map(deref)), hints);
  if (Array.isArray(type))
    return fc.oneof(...type.map((one) => valid({ type: one, ...rest }, hints)));
  switch (type) {
    case 'null': return fc.constant(null);
    case 'boolean': return fc.boolean();
    case 'integer': {
      const { minimum: min = SAFE.min, maximum: max = SAFE.max } = rest;
      return fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max: Math.min(max, min + 5) }),
        fc.integer({ min, max }));
    }
    case 'number': return fc.double({ min: rest.minimum, max: rest.maximum, noNaN: true });
    case 'string': return text(rest);
    case 'array': return fc.array(valid(rest.items ?? {}, hints), { maxLength: 5 });
    case 'object': return object(rest, hints);
    default: return fc.jsonValue({ maxDepth: 2 });
  }
}

function object({ properties = {}, required = [] }, hints) {
  const members = Object.fromEntries(Object.entries(properties).map(([name, schema]) =>
    [name, hints[name] ? fc.oneof({ weight: 4, arbitrary: hints[name] },
      { weight: 1, arbitrary: valid(schema, hints) }) : valid(schema, hints)]));
  return fc.record(members, { requiredKeys: required });
}

/* ---- What is not, or hardly, allowed ---- */

const deep = (levels) => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

// Of every type, from both ends.
export const odd = fc.oneof(
  fc.constantFrom(null, true, false, 0, -1, 1, 0.5, 1e-9, 1e15, 2 ** 53, -(2 ** 53), 1e21, 1e308,
    '', ' ', '0', '1', 'null', '\u0000', 'a\u0000b', '\u0007', '\r\n', '\u007f', '\u0085', '\u2028',
    '\ufeff', '\u202e', '\ud800', '\udfff', '\ufffe', '../..', '%00', "' OR 1=1 --", '=1+1',
    [], {}, [[]], [{}], { a: 1 }, deep(10), deep(200)),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('a', '\u{10FFFF}', ' ').chain((one) =>
    fc.constantFrom(101, 256, 501, 1025, 2001, 5000).map((times) => one.repeat(times))),
  fc.maxSafeInteger(), fc.double(), fc.jsonValue({ maxDepth: 3 }));

/* A body near a right one: a member more, less, or of another kind, or something else at all. */
export function near(schema, hints) {
  const right = valid(schema, hints);
  const change = fc.oneof(
    fc.record({ kind: fc.constant('put'), at: fc.nat(), value: odd }),
    fc.record({ kind: fc.constant('drop'), at: fc.nat() }),
    fc.record({ kind: fc.constant('add'), value: odd,
      name: fc.oneof(fc.constantFrom('price', 'total', 'id', 'role', 'status', 'user_id',
        '__proto__', 'constructor', '', '\u0000', 'Price', 'a'.repeat(300)),
      fc.string({ unit: 'binary' })) }));
  const changed = fc.tuple(right, fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([body, changes]) => changes.reduce(changeOne, body));
  return fc.oneof({ weight: 5, arbitrary: changed }, { weight: 1, arbitrary: odd });
}

function changeOne(body, { kind, at, name, value }) {
  if (body === null || typeof body !== 'object' || Array.isArray(body)) return body;
  const entries = Object.entries(body);
  if (kind === 'add') return Object.fromEntries([...entries, [name, value]]);
  if (entries.length === 0) return body;
  const i = at % entries.length;
  return Object.fromEntries(kind === 'drop' ? entries.filter((_, k) => k !== i)
    : entries.map(([key, old], k) => [key, k === i ? value : old]));
}
