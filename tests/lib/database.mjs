// The database of a shop under test: a file in its folder, or, where script/with-postgres runs the tests,
// one in that cluster. The same folder has the same database, so that a shop can be started again.
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const cluster = process.env.SERVERY_TEST_POSTGRESQL;

export const onPostgresql = Boolean(cluster);

/* Options of a test of what only that engine has. */
export const sqliteOnly = { skip: onPostgresql && 'of SQLite alone' };
export const postgresqlOnly = { skip: !onPostgresql && 'of PostgreSQL alone' };

const nameOf = (dir) =>
  `servery_${createHash('sha256').update(resolve(dir)).digest('hex').slice(0, 16)}`;

// Rows as lines, columns apart by |, as the sqlite3 program does.
const PSQL = ['--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--set=ON_ERROR_STOP=1'];

function inCluster(command) {
  execFileSync('psql', [...PSQL, cluster],
    { input: command, stdio: ['pipe', 'ignore', 'pipe'], encoding: 'utf8' });
}

/* The `database` setting of the shop in this folder, whose database is made if it has none. */
export function databaseIn(dir) {
  if (!onPostgresql) return `sqlite:${join(dir, 'servery.db')}`;
  const name = nameOf(dir);
  inCluster(`SELECT 'CREATE DATABASE ${name}' WHERE NOT EXISTS
    (SELECT 1 FROM pg_database WHERE datname = '${name}') \\gexec\n`);
  return Object.assign(new URL(cluster), { pathname: `/${name}` }).href;
}

/* Of a shop that is not served, its folder with the database. */
export function copyShop(from, to) {
  cpSync(from, to, { recursive: true });
  if (onPostgresql) inCluster(`CREATE DATABASE ${nameOf(to)} TEMPLATE ${nameOf(from)};`);
}

/* An SQLite database goes with its folder. */
export function dropDatabaseOf(dir) {
  if (onPostgresql)
    inCluster(`SET client_min_messages = error; DROP DATABASE IF EXISTS ${nameOf(dir)} WITH (FORCE);`);
}

/* What SQL statements answer, as text. */
export async function sql(database, text) {
  const [program, args] = database.startsWith('sqlite:')
    ? ['sqlite3', ['-bail', '-cmd', '.timeout 5000', database.slice('sqlite:'.length), text]]
    : ['psql', [...PSQL, `--command=${text}`, database]];
  return (await execute(program, args, { maxBuffer: 1 << 30 })).stdout.trim();
}

/* Sees to as many orders as no test could place: see fill.py. */
export function fillOrders(database, ...args) {
  return execute('python3', [fileURLToPath(new URL('fill.py', import.meta.url)), database,
    ...args.map(String)]);
}
