// Holds every answer of the server against docs/openapi.yaml: the status must be documented for
// the operation, and so must the media type, the headers and every member of the body.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

export const description = parse(
  readFileSync(new URL('../../docs/openapi.yaml', import.meta.url), 'utf8'));

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
addFormats(ajv);
ajv.addSchema(description, 'openapi');

const METHODS = ['get', 'post', 'put', 'delete'];

// Headers that speak of one answer in particular, and so belong into its description.
const DESCRIBED = ['location', 'retry-after', 'etag', 'www-authenticate', 'idempotency-replayed',
  'set-cookie'];

const escape = (key) => key.replaceAll('~', '~0').replaceAll('/', '~1');

function resolve(value, pointer) {
  while (value?.$ref) {
    pointer = value.$ref.slice(1);
    value = pointer.slice(1).split('/').reduce(
      (at, key) => at[key.replaceAll('~1', '/').replaceAll('~0', '~')], description);
  }
  return [value, pointer];
}

const paths = Object.keys(description.paths).map((template) => ({
  template,
  parts: template.split('/'),
}));

const isName = (text) => !['', '.', '..'].includes(text);

/* The template that a path belongs to: a literal wins over a parameter, an {id} is a positive
 * integer below 2^53, a {name} leads nowhere else. */
export function templateOf(path) {
  const parts = path.split('/');
  const fits = ({ parts: wanted }) => wanted.length === parts.length &&
    wanted.every((part, i) => part === parts[i] || (part === '{name}' && isName(parts[i])) ||
      (part === '{id}' && /^[1-9]\d{0,15}$/.test(parts[i]) && Number.isSafeInteger(+parts[i])));
  const params = ({ parts: wanted }) => wanted.filter((part) => part.startsWith('{')).length;
  return paths.filter(fits).sort((a, b) => params(a) - params(b))[0]?.template;
}

export function checkSchema(pointer, value, what) {
  const validate = ajv.getSchema(`openapi#${encodeURI(pointer)}`);
  assert.ok(validate, `${what}: no schema at ${pointer}`);
  if (!validate(value))
    assert.fail(`${what} does not match docs/openapi.yaml: ` +
      `${ajv.errorsText(validate.errors, { dataVar: '' })}\n${JSON.stringify(value, null, 1)}`);
}

function checkHeader([header, pointer], name, value, what) {
  if (value === undefined) {
    assert.ok(!header.required, `${what}: header ${name} is missing`);
    return;
  }
  const text = Array.isArray(value) ? value.join(', ') : value;
  const typed = header.schema.type === 'integer' ? Number(text) : text;
  checkSchema(`${pointer}/schema`, typed, `${what}: header ${name}`);
}

function checkHeaders(response, pointer, answer, what) {
  const described = Object.entries(response.headers ?? {});
  for (const [name, header] of described)
    checkHeader(resolve(header, `${pointer}/headers/${escape(name)}`), name,
      answer.headers[name.toLowerCase()], what);
  const names = described.map(([name]) => name.toLowerCase());
  for (const name of DESCRIBED)
    if (answer.headers[name] !== undefined && !names.includes(name) &&
        // A session that is used after a day or more slides, and its cookie with it.
        !(name === 'set-cookie' && answer.request?.headers?.cookie))
      assert.fail(`${what}: header ${name} is not described`);
}

function mediaType(answer) {
  return (answer.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
}

/* What is true of every answer. */
function checkAlways(answer, what) {
  const { headers } = answer;
  assert.match(headers['x-request-id'] ?? '', /^[\x21-\x7e]{16}$/, `${what}: X-Request-Id`);
  assert.equal(headers['x-content-type-options'], 'nosniff', what);
  assert.match(headers['content-security-policy'] ?? '', /frame-ancestors 'none'/, what);
  // The styles of the API's page are RapiDoc's own.
  const policy = answer.path?.split('?')[0] === '/docs' && answer.status < 400
    ? headers['content-security-policy'].replace("style-src 'self' 'unsafe-inline';", '')
    : headers['content-security-policy'];
  assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|https?:/, what);
  assert.ok(headers['referrer-policy'], `${what}: Referrer-Policy`);
  assert.ok(headers['cache-control'], `${what}: Cache-Control`);
}

function checkProblem(answer, what) {
  const { body, status, headers } = answer;
  assert.equal(mediaType(answer), 'application/problem+json', what);
  assert.equal(body.status, status, what);
  assert.equal(body.request_id, headers['x-request-id'], what);
  assert.ok(body.type.endsWith(`/errors#${body.code}`), `${what}: type ${body.type}`);
  assert.ok(body.title && body.detail, `${what}: words`);
  if (status === 422)
    assert.equal(body.errors[0]?.code, body.code, `${what}: the code is that of the first row`);
}

/* A browser is told by a page that there is none at this address. */
function isPageForUnknown({ status, path, request, headers }) {
  return status === 404 && !/^\/(api|assets|images|dev)(\/|$)/.test(path?.split('?')[0] ?? '/api') &&
    /\btext\/html\b/i.test(request?.headers?.accept ?? '') &&
    mediaType({ headers }) === 'text/html';
}

/* What no operation describes: an unknown path, a method that a path does not have, and what was
 * refused before there was a path. */
function checkUnrouted(answer, what) {
  const { method, path, status, body, headers } = answer;
  const template = path && templateOf(path.split('?')[0]);
  if (template) {
    const known = METHODS.filter((name) => description.paths[template][name])
      .map((name) => name.toUpperCase());
    if (known.includes('GET')) known.push('HEAD');
    assert.equal(status, 405, `${what}: ${method} is not described`);
    const allow = (headers.allow ?? '').split(',').map((name) => name.trim());
    assert.deepEqual(allow.sort(), known.sort(), `${what}: Allow`);
  } else if (path) {
    assert.ok([400, 404, 413].includes(status), `${what}: not a path of docs/openapi.yaml`);
  }
  if (isPageForUnknown(answer)) return;
  if (method === 'HEAD') return;
  checkSchema('/components/schemas/Problem', body, what);
  checkProblem(answer, what);
}

function checkBody(response, pointer, answer, what) {
  const type = mediaType(answer);
  if (!response.content) {
    assert.equal(answer.text, '', `${what}: no body is described`);
    return;
  }
  const described = response.content[type] ? type : '*/*';
  assert.ok(response.content[described], `${what}: Content-Type ${type} is not described`);
  if (answer.method === 'HEAD') {
    assert.equal(answer.text, '', `${what}: an answer to HEAD has no body`);
    return;
  }
  if (answer.stream) return;
  checkSchema(`${pointer}/content/${escape(described)}/schema`,
    answer.body === undefined ? answer.text : answer.body, what);
}

/* answer: {method, path, status, headers (lower case), text, body (parsed, if JSON), request,
 * stream}. Throws an AssertionError that says what is undocumented. */
export function checkAnswer(answer) {
  const { method, path, status } = answer;
  const what = `${method ?? ''} ${path ?? ''} → ${status}`;
  checkAlways(answer, what);
  const template = path && templateOf(path.split('?')[0]);
  const name = method === 'HEAD' ? 'get' : method?.toLowerCase();
  const operation = template && description.paths[template][name];
  if (!operation) {
    checkUnrouted(answer, what);
    return;
  }
  const at = `/paths/${escape(template)}/${name}/responses/${status}`;
  assert.ok(operation.responses[status], `${what}: this status is not described\n${answer.text}`);
  const [response, pointer] = resolve(operation.responses[status], at);
  checkHeaders(response, pointer, answer, what);
  checkBody(response, pointer, answer, what);
  if (status >= 400 && method !== 'HEAD') checkProblem(answer, what);
}
