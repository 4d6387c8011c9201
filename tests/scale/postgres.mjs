// PostgreSQL for tests of several servers: a cluster of its own, and what an operator does with it.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HANG_MS } from '../lib/server.mjs';

const execute = promisify(execFile);
const WITH_POSTGRES = fileURLToPath(new URL('../../script/with-postgres', import.meta.url));

/* {url, port, dir, path}: the URL of the maintenance database, the data folder, and a PATH with
 * PostgreSQL's programs. Gone after the test. */
export async function startCluster(t, ...options) {
  const child = spawn(WITH_POSTGRES, [...options, 'sh', '-c',
    'echo "$SERVERY_TEST_POSTGRESQL"; echo "$SERVERY_TEST_POSTGRESQL_DIR"; echo "$PATH"; exec cat'],
  { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.stdin.end();
    await ended;
  });
  const lines = [];
  for await (const line of createInterface({ input: child.stdout }))
    if (lines.push(line) === 3) break;
  assert.equal(lines.length, 3, 'script/with-postgres gave no cluster');
  const [url, dir, path] = lines;
  return { url, dir, path, port: Number(new URL(url).port) };
}

export const database = (url, name) => Object.assign(new URL(url), { pathname: `/${name}` }).href;

/* What an SQL statement answers: rows as lines, columns apart by |. */
export async function sql(url, text) {
  const { stdout } = await execute('psql', ['--no-psqlrc', '--quiet', '--no-align', '--tuples-only',
    '--set=ON_ERROR_STOP=1', `--command=${text}`, url]);
  return stdout.trim();
}

/* The URL of a new database in the cluster. */
export async function createDatabase(cluster, name = 'shop') {
  await sql(cluster.url, `CREATE DATABASE ${name}`);
  return database(cluster.url, name);
}

/* ---- A standby ---- */

function childrenOf(pid) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((name) => {
    try {
      return Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1].split(' ')[1]) === pid;
    } catch {
      return false; // it has ended
    }
  }).map(Number);
}

function signalAll(dir, signal) {
  const pid = Number(readFileSync(join(dir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  process.kill(pid, 'SIGSTOP'); // so that it starts no other meanwhile
  for (const process_ of [...childrenOf(pid), pid]) process.kill(process_, signal);
}

/* As if its machine had failed: every process at once, so that none can still tell anybody anything. */
export const killCluster = (dir) => signalAll(dir, 'SIGKILL');

/* As if its disk hung: it takes connections, and says nothing any more. */
export const freeze = (dir) => signalAll(dir, 'SIGSTOP');
export const thaw = (dir) => signalAll(dir, 'SIGCONT');

/* A hot standby of the cluster, without which the cluster acknowledges nothing:
 * {url, port, promote()}. */
export async function startStandby(t, cluster, port) {
  const { uid, gid } = statSync(cluster.dir);
  const top = mkdtempSync(join(tmpdir(), 'servery-standby-'));
  const dir = join(top, 'data');
  const as = (program, ...args) => execute(program, args,
    { uid, gid, cwd: top, env: { ...process.env, PATH: cluster.path } });
  const control = (...args) => as('pg_ctl', '-D', dir, '-w', ...args);
  chownSync(top, uid, gid);
  t.after(async () => {
    await control('-m', 'immediate', 'stop').catch(() => {});
    rmSync(top, { recursive: true, force: true });
  });
  await as('pg_basebackup', '-D', dir, '--checkpoint=fast', '--create-slot', '--slot=standby',
    '-d', `host=127.0.0.1 port=${cluster.port} user=postgres`);
  appendFileSync(join(dir, 'postgresql.auto.conf'), `port = ${port}
unix_socket_directories = '${top}'
primary_slot_name = 'standby'
primary_conninfo = 'host=127.0.0.1 port=${cluster.port} user=postgres application_name=standby'
`);
  writeFileSync(join(dir, 'standby.signal'), '');
  await control('-l', join(top, 'log'), 'start');
  await sql(cluster.url, "ALTER SYSTEM SET synchronous_standby_names = 'standby'");
  await sql(cluster.url, 'SELECT pg_reload_conf()');
  const state = () => sql(cluster.url, 'SELECT sync_state FROM pg_stat_replication');
  for (const until = performance.now() + HANG_MS; await state() !== 'sync';)
    assert.ok(performance.now() < until, 'the standby does not follow');
  return {
    port, url: cluster.url.replace(`:${cluster.port}/`, `:${port}/`),
    promote: () => control('promote'),
  };
}
