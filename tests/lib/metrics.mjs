// The Prometheus text format 0.0.4, read strictly: what this takes, Prometheus takes.
import assert from 'node:assert/strict';

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (-?\\d+(?:\\.\\d+)?)$`);
const TYPES = ['counter', 'gauge', 'histogram'];

const labelsOf = (text) => Object.fromEntries(
  [...(text ?? '').matchAll(/([a-zA-Z_]\w*)="([^"]*)"/g)].map(([, name, value]) => [name, value]));

const without = (labels, name) =>
  JSON.stringify(Object.entries(labels).filter(([label]) => label !== name).sort());

/* A histogram's buckets rise, up to +Inf, which is the count; each series has a sum. */
function checkHistogram({ name, samples }) {
  const series = new Map();
  for (const { name: full, labels, value } of samples) {
    const key = without(labels, 'le');
    if (!series.has(key)) series.set(key, { buckets: [] });
    if (full === `${name}_bucket`) series.get(key).buckets.push([labels.le, value]);
    else series.get(key)[full.slice(name.length + 1)] = value;
  }
  for (const [key, { buckets, sum, count }] of series) {
    const what = `${name} ${key}`;
    const bounds = buckets.map(([le]) => (le === '+Inf' ? Infinity : Number(le)));
    assert.equal(bounds.at(-1), Infinity, what);
    buckets.forEach(([, value], i) => assert.ok(
      i === 0 || (bounds[i] > bounds[i - 1] && value >= buckets[i - 1][1]), `${what}: not rising`));
    assert.equal(buckets.at(-1)[1], count, `${what}: +Inf is not the count`);
    assert.ok(sum >= 0 && (count > 0 || sum === 0), `${what}: sum`);
  }
}

/* Reads a scrape: {families: Map of name to {type, help, samples}, value(name, labels), series}. */
export function parseMetrics(text) {
  const families = new Map();
  const values = new Map();
  let family;
  assert.ok(text.endsWith('\n'), 'the last line ends');
  for (const line of text.slice(0, -1).split('\n')) {
    const [, word, name, rest] = line.match(new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`)) ?? [];
    if (word === 'HELP') {
      assert.ok(!families.has(name), `${name} comes twice`);
      family = { name, help: rest, samples: [] };
      families.set(name, family);
      continue;
    }
    if (word === 'TYPE') {
      assert.equal(name, family?.name, `TYPE of ${name} follows its HELP`);
      assert.ok(TYPES.includes(rest) && !family.type && !family.samples.length, line);
      family.type = rest;
      continue;
    }
    const [, full, labels, value] = line.match(SAMPLE) ?? assert.fail(`no sample: ${line}`);
    const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    assert.ok(suffixes.some((suffix) => full === family.name + suffix),
      `${full} stands below ${family.name}`);
    const sample = { name: full, labels: labelsOf(labels), value: Number(value) };
    const key = full + without(sample.labels);
    assert.ok(!values.has(key), `twice: ${line}`);
    values.set(key, sample.value);
    family.samples.push(sample);
  }
  for (const known of families.values()) {
    assert.ok(known.type && known.samples.length, `${known.name} has a type and samples`);
    if (known.type === 'counter') assert.match(known.name, /_total$/);
    else assert.doesNotMatch(known.name, /_total$/);
    if (known.type === 'histogram') checkHistogram(known);
    if (known.type !== 'gauge') assert.ok(known.samples.every(({ value }) => value >= 0));
  }
  return {
    families,
    series: [...values.keys()].sort(),
    value: (name, labels = {}) => values.get(name + without(labels)),
  };
}
