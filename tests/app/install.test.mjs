// What `meson install` puts in place: that it is complete, hardened, and true to the program.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync,
  statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { buildDir } from '../lib/build.mjs';
import { startServer } from '../lib/server.mjs';
import { addFood, fillCart, logInAdmin, place, signUp } from '../lib/shop.mjs';

const dir = mkdtempSync(join(tmpdir(), 'servery-install-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const root = join(dir, 'root');
const prefix = JSON.parse(say('meson', ['introspect', '--buildoptions', buildDir]))
  .find((option) => option.name === 'prefix').value;
const at = (...parts) => join(root, prefix, ...parts);
const PROGRAM = at('bin/servery');
const MANUAL = at('share/man/man1/servery.1');
const BASH = at('share/bash-completion/completions/servery');
const ZSH = at('share/zsh/site-functions/_servery');
const FISH = at('share/fish/vendor_completions.d/servery.fish');
const CONF = join(root, sysconfdir(), 'servery/servery.conf');
const UNITS = ['servery.service', 'servery-backup.service'].map((unit) =>
  at('lib/systemd/system', unit));

function sysconfdir() {
  return prefix === '/usr' ? '/etc' : join(prefix, 'etc');
}

// What a program says when all goes well; it must then say nothing on standard error.
function say(program, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args,
    { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  if (error) throw error;
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${stdout}${stderr}`);
  assert.equal(stderr, '', `${program} ${args.join(' ')}`);
  return stdout;
}

const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('SERVERY_')));
const servery = (...args) => say(PROGRAM, args, { env: environment, cwd: dir });
const install = () => say('meson', ['install', '-C', buildDir, '--no-rebuild', '--quiet'],
  { env: { ...process.env, DESTDIR: root } });

let commands, settings;

before(() => {
  install();
  commands = [...servery('--help').matchAll(/^ {2}servery (\S+)/gm)].map((match) => match[1]);
  settings = [...servery('config').matchAll(/^(\w+) = /gm)].map((match) => match[1]);
  assert.ok(commands.length > 5 && settings.length > 15);
});

const flags = () => settings.map((name) => `--${name.replaceAll('_', '-')}`);

test('everything is in place, readable by all, the program executable', () => {
  assert.equal(statSync(PROGRAM).mode & 0o777, 0o755);
  for (const file of [MANUAL, BASH, ZSH, FISH, CONF, ...UNITS,
    at('lib/systemd/system/servery-backup.timer'), at('lib/sysusers.d/servery.conf'),
    at('share/doc/servery/LICENSE'), at('share/doc/servery/copyright'),
    at('share/doc/servery/docs/openapi.yaml'),
    at('share/doc/servery/examples/prometheus-alerts.yml'),
    at('share/doc/servery/examples/nginx.conf'), at('share/doc/servery/examples/haproxy.cfg'),
    at('share/doc/servery/examples/servery.conf')]) {
    assert.equal(statSync(file).mode & 0o777, 0o644, file);
    assert.doesNotMatch(readFileSync(file, 'utf8'), /@[A-Z_]+@/, `left to fill in: ${file}`);
  }
  assert.match(servery('version'), /^servery \d+\.\d+\.\d+\n$/);
});

/* Half of the documents that the installed ones point to were not installed. */
test('every link of the installed documents leads to a file', () => {
  const folder = at('share/doc/servery');
  const documents = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.md'));
  let links = 0;
  for (const name of documents) {
    const text = readFileSync(join(folder, name), 'utf8');
    for (const [, link] of text.matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)[^)]*\)/g)) {
      assert.ok(existsSync(join(folder, name, '..', link)), `${name}: ${link}`);
      links++;
    }
    for (const [path] of text.matchAll(/\/usr\/share\/doc\/servery\/[\w./-]+/g)) {
      assert.ok(existsSync(path.replace('/usr/share/doc/servery', folder)), `${name}: ${path}`);
    }
  }
  assert.ok(documents.length >= 6 && links > 10);
});

test('installing again leaves the configuration as it is', () => {
  const before = readFileSync(CONF, 'utf8');
  writeFileSync(CONF, 'workers = 7\n');
  install();
  assert.equal(readFileSync(CONF, 'utf8'), 'workers = 7\n');
  rmSync(CONF);
  install();
  assert.equal(readFileSync(CONF, 'utf8'), before);
});

test('the program is hardened', () => {
  const header = say('readelf', ['-W', '-h', '-l', '-d', PROGRAM]);
  assert.match(header, /Type:\s+DYN/);
  assert.match(header, /FLAGS_1.*\bPIE\b/);
  assert.match(header, /FLAGS.*BIND_NOW/);
  assert.match(header, /GNU_RELRO/);
  assert.match(header, /GNU_STACK(\s+0x[0-9a-f]+){5}\s+RW\s/);
  assert.doesNotMatch(header, /LOAD(\s+0x[0-9a-f]+){5}\s+RWE/);
  assert.doesNotMatch(header, /RPATH|RUNPATH|TEXTREL/);
  const symbols = say('readelf', ['-W', '--dyn-syms', PROGRAM]);
  assert.match(symbols, /__stack_chk_fail/);
  assert.match(symbols, /__snprintf_chk/, 'built without _FORTIFY_SOURCE');
});

test('the manual is sound, and names every command and setting', () => {
  say('man', ['--warnings', '-l', MANUAL], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  const style = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', MANUAL], { encoding: 'utf8' });
  assert.equal(style.stdout + style.stderr, '');
  const text = say('mandoc', ['-T', 'ascii', MANUAL]).replace(/.\x08/g, '');
  for (const command of commands) assert.match(text, new RegExp(`^ +servery ${command}\\b`, 'm'));
  for (const setting of settings) assert.match(text, new RegExp(`^ +${setting}\\b`, 'm'));
  assert.match(text, /auth_rate_per_minute\n? +sign-up, code[^]*?\(default: 10\)/);
});

/* What bash offers for these words, the last of which is being typed. */
function bashOffers(...words) {
  const script = 'source "$0"; complete -p servery >&2; COMP_WORDS=(servery "$@");'
    + 'COMP_CWORD=$#; compopt() { :; }; _servery; printf "%s\\n" "${COMPREPLY[@]}"';
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, BASH, ...words],
    { encoding: 'utf8', cwd: dir });
  assert.equal(status, 0, stderr);
  assert.equal(stderr, 'complete -F _servery servery\n');
  return stdout.split('\n').filter(Boolean);
}

/* What stands in the command line of a real shell when Tab is pressed after it. The shells' own
 * completion runs, on a terminal; `servery` is then a function that says how it was called. */
function completed([shell, load], line) {
  const setUp = `${load}; servery() { printf '<<%s>>' "$*"; }; printf '<<%s>>' ready`;
  return say('python3', ['-c', `
import os, pty, re, select, sys
shell, set_up, line = sys.argv[1:]
pid, fd = pty.fork()
if pid == 0:
    os.environ.update(TERM='dumb', PS1='')
    os.execvp(shell.split()[0], shell.split())
def until(mark):
    text = ''
    while not re.search(mark, text):
        if not select.select([fd], [], [], 60)[0]: sys.exit('no answer: ' + text)
        text += os.read(fd, 4096).decode()
    return re.search(mark, text)[1]
def send(*parts): os.write(fd, ''.join(parts).encode())
send(set_up, chr(10))
until('<<(ready)>>')
send(line, chr(9), chr(10))
print(until('<<([^%]*?)>>'))
os.close(fd)
os.waitpid(pid, 0)`, shell, setUp, line], { cwd: dir, env: { ...process.env, LC_ALL: 'C.UTF-8' } }).trim();
}

for (const [name, shell] of [['bash', ['bash --norc --noprofile -i', `source ${BASH}`]],
  ['zsh', ['zsh -f -i', `fpath=(${join(ZSH, '..')} $fpath); autoload -U compinit; compinit -u -D`]]]) {
  test(`${name} completes on a terminal`, () => {
    writeFileSync(join(dir, 'unique-file.db'), '');
    for (const [line, whole] of [
      ['servery backup --with', 'backup --with-key'],
      ['servery backup uniq', 'backup unique-file.db'],
      ['servery backup --with-key uniq', 'backup --with-key unique-file.db'],
      ['servery backup --with-key --secr', 'backup --with-key --secret-file'],
      ['servery config --exam', 'config --example'],
      ['servery admin acc', 'admin accept-secret'],
      ['servery serve --config uniq', 'serve --config unique-file.db'],
    ]) assert.equal(completed(shell, line), whole, line);
  });
}

test('bash completes commands, settings and values', () => {
  say('bash', ['-n', BASH]);
  assert.deepEqual(bashOffers('').filter((word) => !word.startsWith('-')), commands);
  assert.deepEqual(bashOffers('serve', '--'), ['--config', ...flags(), '--help']);
  assert.deepEqual(bashOffers('check', '--data'),
    ['--database', '--database-listen', '--database-connections']);
  assert.deepEqual(bashOffers('admin', ''), ['accept-secret', 'create', '--config', ...flags(),
    '--help']);
  assert.deepEqual(bashOffers('serve', '--prepared-statements', ''), ['yes', 'no']);
  assert.deepEqual(bashOffers('serve', '--prepared-statements', '=', 'n'), ['no']);
  assert.deepEqual(bashOffers('serve', '--config', 'roo'), ['root']);
  assert.deepEqual(bashOffers('serve', '--listen', ''), []);
});

test('zsh completes commands and settings', () => {
  say('zsh', ['-f', '-n', ZSH]);
  const script = '_describe() { print -l -- ${(P)2} }; _arguments() { print -l -- "$@" };'
    + 'words=("$@"); CURRENT=$#; set --; source $0';
  const offers = (...words) => say('zsh', ['-f', '-c', script, ZSH, 'servery', ...words]);
  assert.deepEqual(offers('').trim().split('\n').map((line) => line.split(':')[0]), commands);
  const admin = offers('admin', '');
  for (const flag of flags()) assert.match(admin, new RegExp(`^${flag}\\[.+\\]:`, 'm'));
  assert.match(admin, /accept-secret create/);
  assert.match(offers('backup', ''), /^--with-key$/m);
});

test('fish completes commands and settings', () => {
  const offers = (line) => say('fish', ['--no-config', '-c',
    `source ${FISH}; complete -C '${line}'`]).split('\n').map((word) => word.split('\t')[0]);
  for (const command of commands) assert.ok(offers('servery ').includes(command), command);
  const offered = offers('servery serve --');
  for (const flag of flags()) assert.ok(offered.includes(flag), flag);
  writeFileSync(join(dir, 'unique-file.db'), '');
  assert.deepEqual(offers('servery backup --with').filter(Boolean), ['--with-key']);
  assert.deepEqual(offers(`servery backup --with-key ${dir}/uniq`).filter(Boolean),
    [`${dir}/unique-file.db`]);
  assert.deepEqual(offers('servery config --ex').filter(Boolean), ['--example']);
  assert.deepEqual(offers('servery serve --prepared-statements n').filter(Boolean), ['no']);
});

/* What a backup that was cut off had left was kept for ever. */
test('old backups are removed with all that belongs to them, and nothing else', () => {
  const folder = join(dir, 'backups');
  const endings = ['', '.key', '.partial-a1B2c3', '.partial-a1B2c3-journal', '.key.partial-a1B2c3'];
  const names = (day) => endings.map((ending) => `servery-${day}-043000.db${ending}`);
  const others = ['before-upgrade-1.db', 'servery.key', 'notes'];
  mkdirSync(folder);
  for (const name of [...names('2026-01-01'), ...names('2026-02-01'), ...others]) {
    writeFileSync(join(folder, name), '');
    const days = name.includes('2026-02') ? 29 : 32;
    utimesSync(join(folder, name), new Date(), new Date(Date.now() - days * 24 * 3600 * 1000));
  }
  const unit = readFileSync(UNITS[1], 'utf8');
  const [, line] = /^ExecStartPost=(.*)$/m.exec(unit);
  say('sh', ['-c', line.replace('/var/lib/servery-backups', folder)]);
  assert.deepEqual(readdirSync(folder).sort(), [...names('2026-02-01'), ...others].sort());
});

const parse = (text) => Object.fromEntries([...text.matchAll(/^# (\w+): .*\n(\w+) = ?(.*)$/gm)]
  .map(([, source, name, value]) => [name, { source, value }]));

test('the installed configuration is taken as it is, and sets only where the data are', () => {
  const used = parse(servery('config', '--config', CONF));
  assert.deepEqual(Object.keys(used).filter((name) => used[name].source !== 'default'),
    ['database', 'secret_file']);
  assert.equal(used.database.value, 'sqlite:/var/lib/servery/servery.db');
  assert.equal(used.secret_file.value, '/var/lib/servery/servery.key');
  // A second line of the same name, uncommented, would move the shop.
  const lines = [...readFileSync(CONF, 'utf8').matchAll(/^#?(\w+) =/gm)].map(([, name]) => name);
  assert.deepEqual(lines, settings);
});

test('the example shows every setting at its default', () => {
  const example = servery('config', '--example');
  assert.deepEqual([...example.matchAll(/^#(\w+) =/gm)].map((match) => match[1]), settings);
  const file = join(dir, 'all.conf');
  writeFileSync(file, example.replace(/^#(\w+ = )/gm, '$1'));
  const used = parse(servery('config', '--config', file));
  const defaults = parse(servery('config'));
  assert.equal(used.workers.source, 'file');
  for (const name of settings) assert.equal(used[name].value, defaults[name].value, name);
});

test('systemd finds no fault with the units, and little to expose', () => {
  const here = UNITS.map((unit) => {
    const copy = join(dir, basename(unit));
    writeFileSync(copy, readFileSync(unit, 'utf8').replaceAll(join(prefix, 'bin'), at('bin')));
    return copy;
  });
  copyFileSync(at('lib/systemd/system/servery-backup.timer'), join(dir, 'servery-backup.timer'));
  say('systemd-analyze', ['verify', '--man=no', ...here, join(dir, 'servery-backup.timer')]);
  for (const unit of here) {
    say('systemd-analyze', ['security', '--offline=true', '--threshold=15', '--no-pager', unit]);
  }
});

test('the user of the units is made by the system', () => {
  mkdirSync(join(root, 'etc'), { recursive: true });
  spawnSync('systemd-sysusers', [`--root=${root}`]);
  assert.match(readFileSync(join(root, 'etc/passwd'), 'utf8'),
    /^servery:x:\d+:\d+:Servery food ordering:\/var\/lib\/servery:\/usr\/sbin\/nologin$/m);
});

/* The system calls that a unit allows, its sets unfolded. */
function allowedCalls(unit) {
  const members = (set) => say('systemd-analyze', ['--no-pager', 'syscall-filter', set])
    .split('\n').slice(1).map((line) => line.trim()).filter((line) => line && !line.startsWith('#'))
    .flatMap((line) => (line.startsWith('@') ? members(line) : [line]));
  const allowed = new Set();
  for (const [, not, set] of unit.matchAll(/^SystemCallFilter=(~?)(\S+)$/gm)) {
    for (const call of set.startsWith('@') ? members(set) : [set]) {
      if (not) allowed.delete(call);
      else allowed.add(call);
    }
  }
  // SQLite gives a file to its database's owner only when root, which the unit is not.
  if (process.getuid() === 0) allowed.add('fchown');
  return allowed;
}

/* Compares what strace saw with what the unit leaves. Gives the names of the calls. */
function compareWithUnit(trace, path) {
  const unit = readFileSync(path, 'utf8');
  const allowed = allowedCalls(unit);
  const lines = readFileSync(trace, 'latin1').split('\n')
    .map((line) => line.match(/^\d+ +([a-z0-9_]+)\((.*)/)).filter(Boolean);
  const calls = new Set(lines.map((line) => line[1]));
  assert.deepEqual([...calls].filter((call) => !allowed.has(call)), []);
  const families = unit.match(/^RestrictAddressFamilies=(.*)$/m)[1].split(' ');
  assert.deepEqual(lines.filter((line) => line[1] === 'socket')
    .map((line) => line[2].split(',')[0]).filter((family) => !families.includes(family)), []);
  // MemoryDenyWriteExecute
  assert.deepEqual(lines.filter((line) => /PROT_WRITE\|PROT_EXEC/.test(line[2])), []);
  return calls;
}

test('a day in the shop needs no more than the unit allows', async () => {
  const trace = join(dir, 'trace');
  const server = await startServer({ wrap: ['strace', '-D', '-f', '-qq', '-o', trace] });
  try {
    const food = await addFood(await logInAdmin(server), { stock: 3 });
    const customer = await signUp(server);
    await fillCart(customer, food);
    const payment = await place(customer);
    await customer.post(`/api/payments/${payment.id}/simulate`, { outcome: 'paid' });
    const backup = join(dir, 'backup');
    spawnSync('strace', ['-f', '-qq', '-o', backup, PROGRAM, 'backup', join(dir, 'copy.db'),
      '--database', server.settings.database]);
    assert.ok(existsSync(join(dir, 'copy.db')));
    assert.ok(compareWithUnit(backup, UNITS[1]).has('setpriority'));
  } finally {
    await server.stop();
  }
  const calls = compareWithUnit(trace, UNITS[0]);
  assert.ok(calls.has('fdatasync') && calls.has('clone3') && calls.has('socket'));
});

test('the server tells systemd when it is ready, and when it stops', async () => {
  const socket = join(dir, 'notify');
  const manager = spawn('python3', ['-u', '-c', `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(30)
print('bound')
for _ in range(2): print(s.recv(100).decode())`, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(manager, 'close');
  const heard = createInterface({ input: manager.stdout })[Symbol.asyncIterator]();
  assert.equal((await heard.next()).value, 'bound');
  assert.ok(existsSync(socket));
  const server = await startServer({ env: { NOTIFY_SOCKET: socket } });
  try {
    assert.equal((await heard.next()).value, 'READY=1');
  } finally {
    await server.stop();
  }
  assert.equal((await heard.next()).value, 'STOPPING=1');
  assert.deepEqual(await closed, [0, null]);
});
