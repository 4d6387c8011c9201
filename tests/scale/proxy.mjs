// The recipes of deploy/ run for real: what an operator edits (addresses, ports, certificate) and where
// a process without rights may write are replaced, the rest is as it stands.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCert } from '../lib/certs.mjs';
import { freePort } from '../lib/ports.mjs';
import { HANG_MS } from '../lib/server.mjs';

export const KINDS = ['nginx', 'haproxy'];
export const NAME = 'shop.example.com';

/* Resolves once somebody listens on the port; fails with what `child` said if it ends instead. */
export async function listening(child, port) {
  let said = '';
  let ended = false;
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => { said += text; });
  child.once('exit', () => { ended = true; });
  for (const until = performance.now() + HANG_MS; ;) {
    assert.ok(!ended, `${child.spawnfile} ended:\n${said}`);
    assert.ok(performance.now() < until, `${child.spawnfile} does not listen:\n${said}`);
    const connected = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.on('connect', () => { socket.destroy(); resolve(true); });
      socket.on('error', () => setTimeout(resolve, 10, false));
    });
    if (connected) return;
  }
}

/* Replaces each pattern, which must be there as often as it says. */
export function edit(recipe, edits) {
  let text = readFileSync(new URL(`../../deploy/${recipe}`, import.meta.url), 'utf8');
  for (const [pattern, replacement, times = 1] of edits) {
    const found = text.match(new RegExp(pattern, 'gm')) ?? [];
    assert.equal(found.length, times, `${recipe}: ${pattern}`);
    text = text.replace(new RegExp(pattern, 'gm'), replacement);
  }
  return text;
}

const inTurn = (values) => {
  let i = 0;
  return () => values[i++];
};

const RECIPES = {
  nginx: {
    file: 'nginx.conf',
    edits: ({ dir, cert, ports, upstreams }) => [
      ['^user www-data;', process.getuid() === 0 ? 'user root;' : ''],
      ['^pid .*', `pid ${dir}/nginx.pid;`],
      ['/var/log/nginx/', `${dir}/`, 2],
      ['^http \\{', `http {\n${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `    ${name}_temp_path ${dir}/${name};\n`).join('')}`],
      ['10\\.0\\.0\\.1[123]:8080', inTurn(upstreams), 3],
      ['listen 80;', `listen 127.0.0.1:${ports.http};`],
      ['listen 443 ', `listen 127.0.0.1:${ports.https} `],
      ['/etc/letsencrypt/\\S*fullchain.pem', cert.certFile],
      ['/etc/letsencrypt/\\S*privkey.pem', cert.keyFile],
    ],
    check: (config) => ['nginx', '-t', '-q', '-e', 'stderr', '-c', config],
    run: (config) => ['nginx', '-e', 'stderr', '-g', 'daemon off;', '-c', config],
  },
  haproxy: {
    file: 'haproxy.cfg',
    edits: ({ dir, cert, ports, upstreams }) => {
      writeFileSync(`${dir}/shop.pem`, cert.cert + cert.key);
      return [
        ['^ {4}(user|group) haproxy\n', '', 2],
        ['maxconn 40000', 'maxconn 4000'],
        ['^ {4}log /dev/log local0', '    log stdout format raw local0'],
        ['/run/haproxy/admin.sock', `${dir}/admin.sock`],
        ['10\\.0\\.0\\.1[123]:8080', inTurn(upstreams), 3],
        ['bind :80 ', `bind 127.0.0.1:${ports.http} `],
        ['bind :443 ', `bind 127.0.0.1:${ports.https} `],
        ['/etc/haproxy/\\S*pem', `${dir}/shop.pem`],
      ];
    },
    check: (config) => ['haproxy', '-c', '-q', '-f', config],
    run: (config) => ['haproxy', '-db', '-f', config],
  },
};

// To lib/client.mjs it is a server.
export class Proxy {
  secrets = new Set();

  constructor(kind, upstreams) {
    this.kind = kind;
    this.upstreams = upstreams;
    this.dir = mkdtempSync(join(tmpdir(), 'servery-proxy-'));
  }

  async start() {
    const recipe = RECIPES[this.kind];
    this.cert = makeCert(`DNS:${NAME},IP:127.0.0.1`);
    this.ports = { http: await freePort(), https: await freePort() };
    this.port = this.ports.https;
    this.transport = {
      module: https,
      agent: new https.Agent({ keepAlive: true, maxSockets: 256 }),
      ca: this.cert.cert,
      servername: NAME,
    };
    const config = join(this.dir, recipe.file);
    writeFileSync(config, edit(recipe.file, recipe.edits(this)));
    const [program, ...args] = recipe.check(config);
    execFileSync(program, args, { stdio: 'pipe' });
    const [run, ...words] = recipe.run(config);
    this.child = spawn(run, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = once(this.child, 'exit');
    await listening(this.child, this.port);
    return this;
  }

  // The same proxy, asked from another address of this machine.
  from(localAddress) {
    return {
      port: this.port,
      secrets: this.secrets,
      transport: { ...this.transport, agent: new https.Agent({ keepAlive: false }), localAddress },
    };
  }

  async stop() {
    this.transport?.agent.destroy();
    if (this.child?.exitCode === null) {
      this.child.kill('SIGTERM');
      await this.ended;
    }
    this.cert?.remove();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export async function startProxy(t, kind, upstreams) {
  const proxy = new Proxy(kind, upstreams);
  t.after(() => proxy.stop());
  return proxy.start();
}
