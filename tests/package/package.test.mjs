// The Debian package that script/package has built, in a Debian of its own: installed by the very
// commands of deploy/Dockerfile, served as a container and as the unit would, upgraded and purged.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('../..', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'servery-package-'));
const root = join(dir, 'debian');
const SUDO = process.getuid() === 0 ? [] : ['sudo', '-n'];
const CONF = '/etc/servery/servery.conf';
const DATABASE = '/var/lib/servery/servery.db';
const PASSWORD = 'correct horse battery';
const built = readdirSync(join(top, 'build-package')).filter((name) => name.endsWith('.deb'));
const deb = join(top, 'build-package', built[0] ?? 'none');

function run(words, { input, expect = 0 } = {}) {
  const { status, stdout, stderr, error } = spawnSync(words[0], words.slice(1), { encoding: 'utf8',
    input, maxBuffer: 1 << 26,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive', HOME: '/root' } });
  if (error) throw error;
  assert.equal(status, expect, `${words.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

const asRoot = (...words) => run([...SUDO, ...words]);
// In the Debian, as root; and as the user that the shop runs as.
const inside = (...words) => asRoot('chroot', root, ...words);
const asServery = (words, options) => run([...SUDO, 'chroot', root, 'setpriv', '--reuid=servery',
  '--regid=servery', '--clear-groups', ...words], options);

/* The last stage of the Dockerfile: what it runs, and how it starts. */
function dockerfile() {
  const text = readFileSync(join(top, 'deploy/Dockerfile'), 'utf8');
  const lines = text.replace(/^#.*\n/gm, '').replace(/\\\n/g, ' ').split('\n');
  const stage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const all = (word) => stage.filter((line) => line.startsWith(`${word} `))
    .map((line) => line.slice(word.length + 1));
  return {
    run: all('RUN'), env: all('ENV'), user: all('USER')[0],
    command: [...JSON.parse(all('ENTRYPOINT')[0]), ...JSON.parse(all('CMD')[0])],
    health: all('HEALTHCHECK')[0].split(' CMD ')[1],
    copied: [...text.matchAll(/^COPY (?!--from)(\S+) /gm)].map((match) => match[1]),
  };
}

/* Serves in a network of its own with all but the state folder and /tmp read-only, without
 * privileges: what the unit and a container leave a server. Resolves once it listens. */
async function serve() {
  const { command, env, user } = dockerfile();
  const script = 'set -e; ip link set lo up; mount --bind "$0" "$0"; cd "$0";'
    + 'mount --bind var/lib/servery var/lib/servery; mount -t tmpfs tmpfs tmp;'
    + 'mount -t proc proc proc; mount -o remount,ro,bind "$0";'
    + 'exec chroot "$0" setpriv "$@"';
  const [program, ...args] = [...SUDO, 'unshare', '--net', '--mount', 'sh', '-c', script, root,
    `--reuid=${user}`, `--regid=${user}`, '--clear-groups', '--no-new-privs', '--bounding-set=-all',
    '--inh-caps=-all', 'env', '-i', 'PATH=/usr/bin:/bin', ...env, ...command];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const closed = once(child, 'close');
  const log = [];
  const lines = createInterface({ input: child.stderr });
  const listening = new Promise((resolve) => {
    lines.on('line', (line) => {
      log.push(line);
      if (line.includes('"event":"listening"')) resolve(true);
    });
  });
  assert.equal(await Promise.race([listening, closed]), true, log.join('\n'));
  const pid = SUDO.length > 0 ? run(['pgrep', '-P', String(child.pid)]).trim() : String(child.pid);
  return {
    /* A shell command beside it, as `docker exec` runs it. */
    exec: (line) => run([...SUDO, 'nsenter', '-t', pid, '-n', 'chroot', root, 'sh', '-c', line]),
    async stop() {
      asRoot('kill', '-TERM', pid);
      assert.deepEqual(await closed, [0, null], log.join('\n'));
    },
  };
}

before(() => {
  assert.equal(built.length, 1, 'script/package makes one package');
  asRoot('mmdebstrap', '--quiet', '--variant=apt', 'bookworm', root);
  asRoot('cp', '-L', '/etc/resolv.conf', '/etc/hosts', join(root, 'etc'));
});
after(() => asRoot('rm', '-rf', '--one-file-system', dir));

/* The same package under an older version, as if it had been built before. */
function older() {
  const folder = join(dir, 'older');
  const file = join(dir, 'servery_0.0.1_older.deb');
  run(['dpkg-deb', '-R', deb, folder]);
  run(['sed', '-i', 's/^Version: .*/Version: 0.0.1/', join(folder, 'DEBIAN/control')]);
  run(['dpkg-deb', '-b', '--root-owner-group', folder, file]);
  return file;
}

test('the package follows the rules of Debian', () => {
  run(['lintian', '--allow-root', '--fail-on', 'error,warning', '--suppress-tags',
    // Whoever builds the package is its maintainer; no distribution tracks it.
    'bogus-mail-host,bogus-mail-host-in-debian-changelog', deb]);
  const field = (name) => run(['dpkg-deb', '-f', deb, name]).trim();
  const version = readFileSync(join(top, 'meson.build'), 'utf8').match(/version: '(.*)'/)[1];
  assert.equal(field('Version'), version);
  for (const library of ['libevent', 'libsqlite3', 'libsodium', 'libcurl', 'libjansson', 'libglib2.0',
    'tzdata']) {
    assert.match(field('Depends'), new RegExp(`\\b${library}`));
  }
});

test('what the Dockerfile copies exists, and its secrets are left out', () => {
  const { copied } = dockerfile();
  assert.deepEqual(copied, ['script/bootstrap', '.']);
  run(['test', '-x', join(top, copied[0])]);
  const ignored = readFileSync(join(top, '.dockerignore'), 'utf8').split('\n');
  for (const name of ['.git', 'build-*', '**/servery.key', '**/servery.conf']) {
    assert.ok(ignored.includes(name), name);
  }
});

test('it is installed by what the Dockerfile runs', () => {
  copyFileSync(older(), join(root, 'tmp/servery_older.deb'));
  for (const line of dockerfile().run) inside('sh', '-c', line);
  assert.match(inside('servery', 'version'), /^servery \d+\.\d+\.\d+\n$/);
  inside('test', '-s', '/usr/share/man/man1/servery.1.gz');
  assert.equal(inside('bash', '-c',
    'source /usr/share/bash-completion/completions/servery; complete -p servery').trim(),
  'complete -F _servery servery');
  assert.equal(inside('stat', '-c', '%U:%G %a', CONF, '/var/lib/servery'),
    'root:servery 640\nservery:servery 700\n');
});

test('the server starts with the system, the backup only where it is asked for', () => {
  const wanted = inside('find', '/etc/systemd/system', '-name', 'servery*', '-printf', '%f\n');
  assert.equal(wanted, 'servery.service\n');
});

test('the packaged program is hardened', () => {
  const program = join(root, 'usr/bin/servery');
  assert.match(run(['readelf', '-W', '-d', program]), /BIND_NOW[^]*\bPIE\b/);
  const symbols = run(['readelf', '-W', '--dyn-syms', program]);
  assert.match(symbols, /__stack_chk_fail/);
  assert.match(symbols, /__snprintf_chk/);
});

const config = ['--config', CONF];

/* What servery-backup.service runs. */
function backUp() {
  const unit = inside('cat', '/lib/systemd/system/servery-backup.service').replaceAll('%%', '%')
    .replaceAll('$$', '$');
  inside('install', '-d', '-o', 'servery', '-g', 'servery', '-m', '700', '/var/lib/servery-backups');
  for (const [, line] of unit.matchAll(/^ExecStart(?:Post)?=(.*)$/gm)) asServery(['sh', '-c', line]);
  const made = inside('find', '/var/lib/servery-backups', '-type', 'f', '-printf', '%f %u %m\\n');
  assert.match(made, /^servery-\d{4}-\d\d-\d\d-\d{6}\.db servery 600\n$/);
}

test('it serves with nothing writable but its state folder, and passes the health check', async () => {
  const server = await serve();
  try {
    server.exec(dockerfile().health);
    const refused = JSON.parse(server.exec('curl -sS http://127.0.0.1:8080/api/orders'));
    assert.equal(refused.status, 401);
    assert.match(asServery(['servery', 'admin', 'create', 'cook@example.org', ...config],
      { input: `${PASSWORD}\n` }), /new admin/);
    const login = server.exec('curl -sS -H "Content-Type: application/json" -d \'{"identifier":'
      + `"cook@example.org","password":"${PASSWORD}"}' http://127.0.0.1:8080/api/login`);
    assert.equal(JSON.parse(login).user.role, 'admin');
    backUp();
  } finally {
    await server.stop();
  }
  assert.equal(inside('stat', '-c', '%U %a', DATABASE), 'servery 600\n');
});

test('an upgrade keeps the settings and the data, and asks nothing', async () => {
  inside('sed', '-i', 's/^#workers = .*/workers = 8/', CONF);
  const before = inside('md5sum', CONF, '/var/lib/servery/servery.key');
  copyFileSync(deb, join(root, 'tmp/newer.deb'));
  inside('dpkg', '-i', '/tmp/newer.deb');
  assert.notEqual(inside('dpkg-query', '-f', '${Version}', '-W', 'servery'), '0.0.1');
  assert.equal(inside('md5sum', CONF, '/var/lib/servery/servery.key'), before);
  assert.equal(inside('stat', '-c', '%U:%G %a', CONF), 'root:servery 640\n');
  assert.match(asServery(['servery', 'config', ...config]), /^workers = 8$/m);
  const server = await serve();
  const login = server.exec('curl -sS -H "Content-Type: application/json" -d \'{"identifier":'
    + `"cook@example.org","password":"${PASSWORD}"}' http://127.0.0.1:8080/api/login`);
  await server.stop();
  assert.equal(JSON.parse(login).user.email, 'cook@example.org');
  assert.match(asServery(['servery', 'check', ...config]), / 0 breaches/);
});

test('removed, the settings stay; purged, the data stay all the same', () => {
  inside('dpkg', '--remove', 'servery');
  inside('test', '!', '-e', '/usr/bin/servery');
  inside('test', '-e', CONF);
  assert.match(inside('dpkg', '--purge', 'servery'), /data are still in \/var\/lib\/servery/);
  inside('test', '!', '-e', '/etc/servery');
  inside('test', '-s', DATABASE);
});
