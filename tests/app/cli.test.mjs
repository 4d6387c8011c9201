// The command line: what an operator types, what he gets, and what he is told when he errs.
import assert from 'node:assert/strict';
import {
  existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { buildDir, run } from '../lib/build.mjs';
import { PROGRAM, startServer } from '../lib/server.mjs';
import { Client } from '../lib/client.mjs';
import { logIn, signUp } from '../lib/shop.mjs';

const dir = mkdtempSync(join(tmpdir(), 'servery-cli-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('SERVERY_')));
const servery = (args, env = {}) =>
  run(PROGRAM, args, { env: { ...environment, ...env }, cwd: dir });

// The settings as `servery config` prints them: name → {value, source}.
async function config(args, env) {
  const { code, stdout, stderr } = await servery(['config', ...args], env);
  assert.equal(code, 0, stderr);
  return Object.fromEntries([...stdout.matchAll(/^# (\w+): .*\n(\w+) = (.*)$/gm)]
    .map(([, source, name, value]) => [name, { source, value }]));
}

async function withInput(args, input) {
  const child = spawn(join(buildDir, PROGRAM), args,
    { env: environment, cwd: dir, stdio: ['pipe', 'pipe', 'pipe'] });
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (data) => { out[name] += data; });
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, ...out };
}

test('without a word it shows what it can do, and every command has --help', async () => {
  const bare = await servery([]);
  assert.equal(bare.code, 2);
  const help = await servery(['--help']);
  assert.equal(help.code, 0);
  const commands = ['serve', 'demo', 'admin', 'migrate', 'backup', 'copy', 'check',
    'config', 'version'];
  for (const command of commands) {
    assert.match(help.stdout, new RegExp(`servery ${command}`));
    const own = await servery([command, '--help']);
    assert.equal(own.code, 0);
    assert.match(own.stdout, new RegExp(`^servery ${command}`));
  }
  const unknown = await servery(['sevre']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /unknown command sevre/);
});

test('version', async () => {
  for (const word of ['version', '--version']) {
    assert.match((await servery([word])).stdout, /^servery \d+\.\d+\.\d+\n$/);
  }
});

test('a setting comes from the default, the file, the environment or the flag, in that order',
  async () => {
    const file = join(dir, 'servery.conf');
    writeFileSync(file, '# a shop\nworkers = 8\npayment_hold = 2h\n\nlisten=127.0.0.1:1\n');
    const env = { SERVERY_WORKERS: '16', SERVERY_RATE_PER_MINUTE: '7' };
    assert.deepEqual((await config([])).workers, { source: 'default', value: '64' });
    assert.deepEqual((await config([`--config=${file}`])).workers,
      { source: 'file', value: '8' });
    const all = await config(['--config', file, '--workers', '32'], env);
    assert.deepEqual(all.workers, { source: 'flag', value: '32' });
    assert.deepEqual(all.rate_per_minute, { source: 'environment', value: '7' });
    assert.deepEqual(all.payment_hold, { source: 'file', value: '7200s' });
    assert.equal(all.public_url.value, 'http://127.0.0.1:1');
  });

test('passwords are not shown', async () => {
  const all = await config(['--mail', 'smtp://me:hunter2@mail.example:587',
    '--metrics-token', '0123456789abcdef']);
  assert.equal(all.mail.value, 'smtp://me:***@mail.example:587');
  assert.equal(all.metrics_token.value, '***');
  assert.equal((await config(['--mail', 'smtp://me:hun/ter2@mail.example'])).mail.value,
    'smtp://me:***@mail.example');
  const later = await config(['--database-listen', 'postgresql://u:hunter2@h/db',
    '--test-provider-url', 'http://u:hunter2@h/']);
  assert.equal(later.database_listen.value, 'postgresql://u:***@h/db');
  assert.equal(later.test_provider_url.value, 'http://u:***@h/');
});

test('nor are those that are parameters of the database', async () => {
  for (const [url, shown] of [
    ['postgresql://u@h/db?password=hunter2', 'postgresql://u@h/db?password=***'],
    ['postgresql://u:hunter2@h/db?sslmode=require&sslpassword=hunter2&sslkey=k',
      'postgresql://u:***@h/db?sslmode=require&sslpassword=***&sslkey=k'],
    ['postgres:///db?%70ass%77ord=hun?ter2&user=u', 'postgres:///db?%70ass%77ord=***&user=u'],
    ['postgresql://u@h:1/db?password=hunter2@&user=u', 'postgresql://u@h:***&user=u'],
    ['postgresql://u@h/db?passfile=/p&sslmode=require',
      'postgresql://u@h/db?passfile=/p&sslmode=require'],
  ]) {
    const all = await config(['--database', url, '--database-listen', url]);
    assert.equal(all.database.value, shown);
    assert.equal(all.database_listen.value, shown);
  }
});

test('copy says where a password may stand that nobody else is to see', async () => {
  const { stdout } = await servery(['copy', '--help']);
  assert.match(stdout, /~\/\.pgpass/);
  assert.match(stdout, /PGPASSFILE/);
  assert.match(stdout, /SERVERY_DATABASE/);
});

for (const [args, words] of [
  [['--workers', '3'], /workers \(from flag\): must be a number from 4 to 1024/],
  [['--workers', '1025'], /workers/],
  [['--workers', 'many'], /workers/],
  [['--payment-hold', '0s'], /payment_hold/],
  [['--payment-hold', '15'], /payment_hold/],
  [['--drain', '61s'], /drain.*0s to 60s/],
  [['--metrics-token', '0123456789abcde'],
    /^servery: metrics_token \(from flag\): must have 16 characters[^0]*$/],
  [['--metrics-token', '0123456789 abcdef'], /metrics_token/],
  [['--metrics-token', '0123456789abcdéf'], /metrics_token/],
  [['--allow-test-payments=perhaps'], /allow_test_payments \(from flag\): must be yes or no/],
  [['--allow-test-payments', 'maybe'], /allow_test_payments \(from flag\): must be yes or no/],
  [['--sandbox', 'true'], /sandbox \(from flag\): must be yes or no/],
  [['--prepared-statements', '1'], /prepared_statements \(from flag\): must be yes or no/],
  [['--database', 'foo.db'], /database \(from flag\): must be sqlite:FILE/],
  [['--database', 'sqlite:'], /database/],
  [['--database', ''], /database/],
  [['--database', 'sqlite:postgresql://u:hunter2@h/db'],
    /database \(from flag\): sqlite: is followed by a file, not by a URL\n$/],
  [['--database-listen', 'foo'], /database_listen \(from flag\): must be a URL/],
  [['--no-such-thing=1'], /unknown option/],
  [['--listen'], /--listen needs a value/],
  [['--config', '/nowhere/at/all'], /cannot read/],
  [['--config', '/'], /cannot read \/: Is a directory/],
  [['word'], /unexpected word/],
]) {
  test(`config ${args.join(' ')} is refused in words`, async () => {
    const { code, stderr } = await servery(['config', ...args]);
    assert.equal(code, 2);
    assert.match(stderr, words);
  });
}

const PIECES = /hunter|secret/i; // of the passwords below

for (const url of [
  'postgresql://u:Hunter2/Secret@127.0.0.1/db', 'postgresql://u:12/Secret@127.0.0.1/db',
  'postgresql://u:Hunter2Secret/@127.0.0.1/db', 'postgresql://u:Hun@ter2Secret@127.0.0.1/db',
  'postgres://u:Hun@ter2Secret@127.0.0.1,other:5433/db', 'postgresql://u:12/?hunter=secret@h/db',
  'postgresql://u:1/a?hunter=1@h/db?nothing=1',
  'postgresql://u@h/db?password=Hunter&secret=1', 'postgresql://u@h/db?port=secret',
]) {
  test(`${url} is refused, and no piece of its password shown`, async () => {
    for (const [flag, ...rest] of [['--database'],
      ['--database-listen', '--database=postgresql://h/db']]) {
      const { code, stdout, stderr } = await servery(['serve', flag, url, ...rest]);
      assert.equal(code, 2);
      assert.doesNotMatch(stdout + stderr, PIECES);
      assert.match(stderr, /^servery: database\w* \(from flag\): must be .*%2F .*%40 /);
    }
    const copied = await servery(['copy', '--from', url, '--to', 'sqlite:copied.db']);
    assert.equal(copied.code, 2);
    assert.doesNotMatch(copied.stdout + copied.stderr, PIECES);
    assert.match(copied.stderr, /^servery: --from: must be .*%2F /);
  });
}

test('what is escaped in a URL of PostgreSQL is taken', async () => {
  for (const url of ['postgresql://u:Hun%2Fter%402@h/db', 'postgresql://h1:1,h2:2/db',
    'postgresql://[::1]:5432/a%40b?user=me@host', 'postgresql://h1,h2/', 'postgres:///db?port=1,2',
    'postgresql://u:a?b@h/db', 'postgresql:///db?host=/run/postgresql&ssl=true'])
    await config(['--database', url, '--database-listen', url]);
});

test('a parameter of the URL that PostgreSQL does not know is named, without a value', async () => {
  for (const [url, name] of [
    ['postgresql://u:hunter2@h/db?target_session_attr=secret', 'target_session_attr'],
    ['postgresql://u:hunter2@h/db?sslmode=require&Port=secret&x=1', 'Port']]) {
    const { code, stderr } = await servery(['config', '--database', url]);
    assert.equal(code, 2);
    assert.equal(stderr, `servery: database (from flag): PostgreSQL knows no parameter ${name}\n`);
  }
});

test('both ends of a number are taken', async () => {
  assert.equal((await config(['--workers', '4'])).workers.value, '4');
  assert.equal((await config(['--workers', '1024'])).workers.value, '1024');
  assert.equal((await config(['--payment-hold', '1s'])).payment_hold.value, '1s');
  assert.equal((await config(['--drain', '60s'])).drain.value, '60s');
  assert.equal((await config([])).drain.value, '0s');
  assert.equal((await config(['--payment-hold', '30d'])).payment_hold.value, '2592000s');
});

test('a line of the file that is no setting is named with its number', async () => {
  const file = join(dir, 'bad.conf');
  writeFileSync(file, 'workers = 8\nwrokers = 9\n');
  const { code, stderr } = await servery(['config', '--config', file]);
  assert.equal(code, 2);
  assert.match(stderr, /bad\.conf:2: unknown setting wrokers/);
});

/* One of two lines won, unsaid. */
test('a file that sets something twice is refused', async () => {
  const file = join(dir, 'twice.conf');
  writeFileSync(file, 'workers = 8\nlisten = 127.0.0.1:1\nworkers = 9\n');
  const { code, stderr } = await servery(['config', '--config', file]);
  assert.equal(code, 2);
  assert.match(stderr, /twice\.conf:3: workers is set a second time/);
});

/* It was taken as an empty file, and served a new shop in the working folder. */
test('serve takes no folder as its settings', async () => {
  const before = readdirSync(dir);
  const { code, stderr } = await servery(['serve', '--config', dir]);
  assert.equal(code, 2);
  assert.equal(stderr, `servery: cannot read ${dir}: Is a directory\n`);
  assert.deepEqual(readdirSync(dir), before);
});

test('demo shows its own defaults', async () => {
  const { stdout } = await servery(['demo', '--help']);
  for (const [flag, value] of [['payment', 'test'], ['database', 'temporary'],
    ['auth-rate-per-minute', '1000'], ['workers', '64']]) {
    assert.match(stdout, new RegExp(`  --${flag} VALUE\n .*\\[${value}\\]\n`));
  }
  assert.match((await servery(['serve', '--help'])).stdout, /  --payment VALUE\n .*\[manual\]\n/);
});

for (const [args, words] of [
  [['--payment', 'test'], /allow_test_payments/],
  [['--payment', 'gold'], /payment \(from flag\): must be manual or test/],
  [['--mail', 'pigeon'], /^servery: mail \(from flag\): must be log/],
  [['--mail-ca-file', '/nowhere/at/all'], /mail_ca_file \(from flag\): .* cannot be read/],
  [['--mail-ca-file', '/'], /mail_ca_file/],
  [['--test-provider-url', 'foo'], /test_provider_url \(from flag\): must begin with http/],
  [['--test-provider-url', 'ftp://x'], /test_provider_url/],
  [['--test-provider-url', 'http:///x'], /test_provider_url/],
  [['--test-provider-url', 'http://'], /test_provider_url/],
  [['--secret-file', ''], /secret_file \(from flag\): must name a file/],
  [['--secret-file', '/'], /secret_file .* not a file/],
  [['--secret-file', '/nowhere/at/all'], /secret_file .* no such folder/],
  [['--public-url', 'https://shop.example/path'], /public_url \(from flag\): must be a host/],
  [['--public-url', 'https://shop.example '], /public_url/],
  [['--public-url', 'https://me@shop.example'], /public_url/],
  [['--public-url', 'http://localhost:1@shop.test'], /public_url/],
  [['--public-url', 'https://'], /public_url/],
  [['--trusted-proxies', '127.0.0.1,,'], /trusted_proxies/],
  [['--mail', 'smtp://127.0.0.1:25'], /mail_from/],
  [['--public-url', 'shop.example'], /public_url/],
  [['--trusted-proxies', '10.0.0.0/99'], /trusted_proxies/],
  [['--listen', '127.0.0.1:65536'], /listen \(from flag\): must be an address and a port/],
  [['--listen', '127.0.0.1:-1'], /listen/],
  [['--listen', '127.0.0.1'], /listen/],
  [['--listen', ''], /listen/],
  [['--listen', 'example.org:80'], /listen/],
]) {
  test(`serve ${args.join(' ')} is refused before anything starts`, async () => {
    const { code, stderr } = await servery(['serve', '--listen', '127.0.0.1:0', ...args]);
    assert.equal(code, 2);
    assert.match(stderr, words);
  });
}

/* What is the environment's fault may pass: the unit tries again. And what cannot serve the data
 * must not have brought them to its version. */
test('serve with a port in use exits with 1, and has not touched the data', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  try {
    const { code, stderr } = await servery(['serve', `--listen=127.0.0.1:${taken.address().port}`,
      `--database=sqlite:${join(dir, 'unbound.db')}`, `--secret-file=${join(dir, 'unbound.key')}`]);
    assert.equal(code, 1);
    assert.match(stderr, /listen_failed/);
    assert.deepEqual(readdirSync(dir).filter((name) => name.startsWith('unbound')), []);
  } finally {
    taken.close();
  }
});

for (const listen of ['0.0.0.0:0', '[::]:0', '10.1.2.3:0']) {
  test(`demo serves on loopback only, not on ${listen}`, async () => {
    const { code, stderr } = await servery(['demo', '--listen', listen]);
    assert.equal(code, 2);
    assert.match(stderr, /loopback/);
  });
}

test('migrate makes a database, and has nothing to do the second time', async () => {
  const database = `sqlite:${join(dir, 'migrated.db')}`;
  const first = await servery(['migrate', '--database', database]);
  assert.equal(first.code, 0, first.stderr);
  assert.doesNotMatch(first.stdout, /^0 migrations/);
  assert.equal(statSync(join(dir, 'migrated.db')).mode & 0o777, 0o600);
  const second = await servery(['migrate', '--database', database]);
  assert.match(second.stdout, /^0 migrations applied/);
  const check = await servery(['check', '--database', database]);
  assert.equal(check.code, 0);
  assert.match(check.stdout, /0 breaches/);
});

test('check does not make a database that is not there', async () => {
  const { code } = await servery(['check', '--database', `sqlite:${join(dir, 'none.db')}`]);
  assert.equal(code, 1);
  assert.throws(() => statSync(join(dir, 'none.db')));
});

test('admin create refuses what is no email or too short a password', async () => {
  const database = ['--database', `sqlite:${join(dir, 'admin.db')}`];
  for (const [args, input, words] of [
    [['create', 'nobody'], 'long enough\n', /not an email/],
    [['create', 'a@example.org'], 'seven77\n', /8 characters/],
    [['create', 'a@example.org'], `${'x'.repeat(1025)}\n`, /1024 bytes/],
    [['create', 'a@example.org'], '', /no password/],
    [['create'], '', /usage/],
    [['delete', 'a@example.org'], '', /usage/],
  ]) {
    const { code, stderr } = await withInput(['admin', ...args, ...database], input);
    assert.equal(code, 2, stderr);
    assert.match(stderr, words);
  }
  for (const [email, password] of [['b@example.org', 'eight888'],
    ['c@example.org', 'x'.repeat(1024)]]) {
    const { code, stderr } = await withInput(['admin', 'create', email, ...database], password);
    assert.equal(code, 0, stderr);
  }
});

test('admin create works while the server runs: it promotes, and ends the sessions', async () => {
  const server = await startServer({ mode: 'serve' });
  try {
    const customer = await signUp(server, { email: 'soon.admin@example.org' });
    await customer.get('/api/me');
    await server.makeAdmin('Soon.Admin@example.org', 'a new password');
    await customer.get('/api/me', { expect: 401 });
    const admin = await logIn(server, 'soon.admin@example.org', 'a new password');
    assert.equal(admin.user.role, 'admin');
    assert.equal(admin.user.id, customer.user.id);
    await new Client(server).post('/api/login',
      { identifier: 'soon.admin@example.org', password: customer.password }, { expect: 401 });
  } finally {
    await server.stop();
  }
});

test('a shop is not served with another secret, until that is accepted', async () => {
  const server = await startServer({ mode: 'serve' });
  const customer = await signUp(server);
  const me = (on, expect) => new Client(on, { token: customer.token }).get('/api/me', { expect });
  const serve = (secret_file) =>
    startServer({ mode: 'serve', dir: server.dir, settings: { secret_file } });
  const refused = async (secretFile, words) => {
    const { code, stderr } = await servery(['serve', '--listen=127.0.0.1:0',
      `--database=${server.settings.database}`, `--secret-file=${secretFile}`]);
    assert.equal(code, 1);
    assert.match(stderr, words);
    assert.match(stderr, /not the secret.*\nIf other servers serve this shop, copy their key file/);
  };
  const own = server.settings.secret_file;
  const other = join(dir, 'other.key');
  await server.end();
  await refused(other, /was not there, and a new one is not the secret/);
  assert.ok(!existsSync(other), 'what was made in vain is removed');
  const again = await serve(own);
  await me(again, 200);
  again.settings.secret_file = other;
  const early = await again.command('admin', 'accept-secret');
  assert.equal(early.code, 1);
  assert.match(early.stderr, /the shop is served, or copied, at the moment; stop that first/);
  assert.ok(!existsSync(other));
  await me(again, 200);
  await again.end();
  const accepted = await again.command('admin', 'accept-secret');
  assert.equal(accepted.code, 0, accepted.stderr);
  await refused(own, /key is not the secret/);
  assert.ok(existsSync(own));
  const changed = await serve(other);
  await me(changed, 401);
  await logIn(changed, customer.user.email, customer.password);
  await changed.stop();
});

test('the demo throws its data away, or keeps them where it is told', async () => {
  const demo = async (args) => {
    const child = spawn(join(buildDir, PROGRAM), ['demo', '--listen', '127.0.0.1:0', ...args],
      { env: { ...environment, TMPDIR: dir }, cwd: dir, stdio: ['ignore', 'pipe', 'ignore'] });
    let out = '';
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      out += chunk;
      if (out.includes('Ctrl-C')) break;
    }
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    assert.equal(code, 0);
    return out;
  };
  const out = await demo([]);
  assert.match(out, /admin@example\.com \/ servery-demo/);
  assert.deepEqual(readdirSync(dir).filter((name) => name.startsWith('servery-demo-')), []);
  const kept = ['--database', `sqlite:${join(dir, 'kept.db')}`,
    '--secret-file', join(dir, 'kept.key')];
  await demo(kept);
  await demo(kept);
  assert.match((await servery(['check', ...kept])).stdout, /checked 24 foods/);
});

test('the settings of the README are those of the program', async () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const table = readme.match(/<!-- settings -->\n([\s\S]*?)<!-- end -->/)[1];
  assert.equal(table, (await servery(['config', '--markdown'])).stdout);
});
