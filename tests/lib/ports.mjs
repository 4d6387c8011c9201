// Ports for what must come back on the port that it had, and ports on which nobody listens.
import net from 'node:net';

/* Below what the kernel gives to clients and to servers that ask for any port: so nobody takes it before
 * whom it is for listens, nor while he is down. */
const FIRST = 12000;
const COUNT = 8000;

export async function freePort() {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    const server = net.createServer();
    const free = await new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (free) await new Promise((resolve) => { server.close(resolve); });
    if (free) return port;
  }
}
