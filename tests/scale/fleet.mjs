// Several servers of one shop: one database, one secret, one mail server, each with a port of its own
// that it keeps when it is started again.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../lib/ports.mjs';
import { HANG_MS, Server } from '../lib/server.mjs';
import { startSmtp } from '../lib/smtp.mjs';
import { NAME, Proxy } from './proxy.mjs';

class Member extends Server {
  async start() {
    this.log = [];
    if (!this.port) this.settings.listen = `127.0.0.1:${await freePort()}`;
    return super.start();
  }

  get running() {
    return this.child?.exitCode === null && this.child.signalCode === null;
  }

  // Resolves when it has answered a call of customers since it was started.
  takesPart() {
    return this.waitFor(
      () => this.log.find((line) => line.event === 'request' && line.route?.startsWith('/api/')),
      HANG_MS, 'a call of a customer');
  }
}

/* {servers, smtp, dir}; with an admin. */
export async function startFleet(t, database, { n = 3, settings = {} } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'servery-fleet-'));
  const smtp = await startSmtp();
  const servers = Array.from({ length: n }, (_, i) => {
    const own = join(dir, `server-${i}`);
    mkdirSync(own);
    return new Member({
      mode: 'serve', dir: own,
      settings: {
        database, secret_file: join(dir, 'servery.key'), public_url: `https://${NAME}`,
        trusted_proxies: '127.0.0.1', mail: smtp.url, mail_from: 'Shop <shop@example.com>',
        payment: 'test', allow_test_payments: 'yes', database_connections: 8, workers: 16,
        ...settings,
      },
    });
  });
  t.after(async () => {
    for (const server of servers) if (server.running) await server.kill();
    await smtp.close();
    rmSync(dir, { recursive: true, force: true });
  });
  for (const server of servers) await server.start();
  await servers[0].makeAdmin();
  return { servers, smtp, dir };
}

/* A proxy before the fleet, which to lib/shop.mjs is a shop: it knows the mails. */
export async function startFront(t, kind, fleet) {
  const proxy = new Proxy(kind, fleet.servers.map((server) => `127.0.0.1:${server.port}`));
  t.after(() => proxy.stop());
  Object.defineProperty(proxy, 'mails', { get: () => fleet.smtp.messages.map(
    ({ envelope, text }) => ({ to: envelope.to[0], text })) });
  proxy.otp = async (email) => {
    const mail = await fleet.smtp.waitFor(({ envelope }) => envelope.to.includes(email));
    return mail.text.match(/^(\d{6})$/m)[1];
  };
  return proxy.start();
}

/* Ends all in order, after which the data are sound. */
export async function endFleet({ servers }) {
  await Promise.all(servers.map((server) => server.end()));
  await servers[0].checkData();
  for (const server of servers) server.checkLog();
}
