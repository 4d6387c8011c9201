// A real SMTP server (npm smtp-server) on 127.0.0.1, with the faults that tests need.
import { once } from 'node:events';
import { SMTPServer } from 'smtp-server';
import { simpleParser } from 'mailparser';
import { HANG_MS } from './server.mjs';

const fault = (code, text) => Object.assign(new Error(text), { responseCode: code });

/* Options, all optional:
 *   tls           makeCert()'s result: needed for starttls and secure
 *   starttls      offers STARTTLS
 *   secure        TLS from the first byte (smtps)
 *   auth          {user, pass}: demanded before mail; also without TLS
 *   refuse        SMTP code (4xx or 5xx) for every RCPT TO
 *   refuseFrom    the same for MAIL FROM; refuseData: the message; refuseConnect: the greeting
 *   fail451Times  the first n RCPT TO are answered by 451
 *   delayMs       waits before the greeting
 *   refuseText    the words that go with a refusal
 *   port          instead of a free one
 *
 * Gives {port, url, messages, seen, waitFor, close}. A message is mailparser's with `raw`,
 * `envelope` ({from, to}), `secure` and `user` added; `seen` counts {connections, auths,
 * froms, rcpts}. */
export async function startSmtp(options = {}) {
  const messages = [];
  const waiting = new Set();
  const timers = new Set();
  const seen = { connections: 0, auths: 0, froms: 0, rcpts: 0 };
  const text = options.refuseText ?? 'refused by the test';
  let failures = options.fail451Times ?? 0;

  const disabled = [];
  if (!options.starttls) disabled.push('STARTTLS');
  if (!options.auth) disabled.push('AUTH');

  const server = new SMTPServer({
    secure: Boolean(options.secure),
    key: options.tls?.key,
    cert: options.tls?.cert,
    disabledCommands: disabled,
    authOptional: !options.auth,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    closeTimeout: 500,
    logger: false,
    onConnect(session, done) {
      seen.connections++;
      const error = options.refuseConnect ? fault(options.refuseConnect, text) : undefined;
      if (!options.delayMs) return done(error);
      const timer = setTimeout(() => {
        timers.delete(timer);
        done(error);
      }, options.delayMs);
      timers.add(timer);
    },
    onAuth(auth, session, done) {
      seen.auths++;
      if (auth.username !== options.auth.user || auth.password !== options.auth.pass)
        return done(fault(535, options.refuseText ?? 'Invalid username or password'));
      done(null, { user: auth.username });
    },
    onMailFrom(address, session, done) {
      seen.froms++;
      done(options.refuseFrom ? fault(options.refuseFrom, text) : undefined);
    },
    onRcptTo(address, session, done) {
      seen.rcpts++;
      if (failures > 0) {
        failures--;
        return done(fault(451, 'try again later'));
      }
      done(options.refuse ? fault(options.refuse, text) : undefined);
    },
    onData(stream, session, done) {
      receive(stream, session).then(() => done(
        options.refuseData ? fault(options.refuseData, text) : undefined), done);
    },
  });

  async function receive(stream, session) {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    if (options.refuseData) return;
    const raw = Buffer.concat(chunks);
    const message = await simpleParser(raw);
    messages.push(Object.assign(message, {
      raw: raw.toString('latin1'),
      envelope: {
        from: session.envelope.mailFrom.address,
        to: session.envelope.rcptTo.map((rcpt) => rcpt.address),
      },
      secure: session.secure,
      user: session.user,
    }));
    for (const check of waiting) check();
  }

  // A client that breaks off (a refused certificate, a timeout) is what some tests are about.
  server.on('error', () => {});
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address();
  const scheme = options.secure ? 'smtps' : options.starttls ? 'smtp' : 'smtp+plain';
  const login = options.auth
    ? `${encodeURIComponent(options.auth.user)}:${encodeURIComponent(options.auth.pass)}@` : '';

  return {
    port,
    url: `${scheme}://${login}127.0.0.1:${port}`, // the setting `mail` that fits these options
    messages,
    seen,
    // Resolves with the first message for which `match` is true, past or to come.
    waitFor(match = () => true, timeoutMs = HANG_MS) {
      return new Promise((resolve, reject) => {
        const end = (settle, value) => {
          clearTimeout(timer);
          waiting.delete(check);
          settle(value);
        };
        const timer = setTimeout(
          () => end(reject, new Error(`no such mail in ${timeoutMs} ms (${messages.length} came)`)),
          timeoutMs);
        const check = () => {
          const found = messages.find(match);
          if (found) end(resolve, found);
        };
        waiting.add(check);
        check();
      });
    },
    close: () => {
      timers.forEach(clearTimeout);
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
