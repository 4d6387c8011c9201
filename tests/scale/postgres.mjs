// PostgreSQL for tests of several servers: a cluster of its own, and what an operator does with it.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

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
