// kill -9 at random moments under load: nothing acknowledged is lost, nothing is half done, the
// server starts again at once, and what is sent again with its key is done once.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startSmtp } from '../lib/smtp.mjs';
import { Load } from './load.mjs';
import { Random, seed } from './random.mjs';
import { Caller, Shop } from './shop.mjs';
import { codeIn } from './workers.mjs';

const KILLS = 24;
const CALLS_MAX = 100;   // acknowledged between two kills
const MOMENT_MS = 4;     // and then a little later, so that no call's end tells the moment
const LEASE_MS = 90000;  // of a mail that was being sent when the server died
const YOUNG_MS = 120000; // a code of that age is good for as long as the lease, and longer

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function firstAnswer(shop) {
  const started = performance.now();
  await shop.start();
  const caller = new Caller(shop.port);
  const answer = await caller.call('GET', '/readyz');
  caller.close();
  assert.equal(answer.status, 200, answer.text);
  return performance.now() - started;
}

async function killUnderLoad(shop, load, random) {
  load.mayLose = false;
  load.connect(shop.port);
  load.start();
  await load.after(random.int(1, CALLS_MAX));
  await sleep(random.next() * MOMENT_MS);
  load.mayLose = true;
  await shop.kill();
  await load.halt();
  return load.workers.filter((worker) => worker.pending).length;
}

/* Sign-ups whose answer arrived: the mail comes, and its code opens the account. A mail under way
 * at a kill comes when its lease is over, so the clock is put forward. */
async function verifyMails(t, shop, load, smtp) {
  const young = load.newcomers.waiting.filter(({ at }) => Date.now() - at < YOUNG_MS);
  await shop.end();
  const later = new Shop({ dir: shop.dir, clock: true, mail: smtp.url });
  t.after(() => later.remove());
  later.clock.advance(LEASE_MS + 1000);
  await later.start();
  const caller = new Caller(later.port);
  for (const email of load.mailsDue)
    await smtp.waitFor((message) => message.envelope.to.includes(email));
  for (const { email, signup_token: token } of young) {
    const answer = await caller.call('POST', '/api/verify-otp',
      { body: { signup_token: token, otp: codeIn(load.mailTo(email)) } });
    assert.equal(answer.status, 200, `${email}: ${answer.text}`);
  }
  caller.close();
  const givenUp = "SELECT count(*) FROM outbox WHERE status IN ('failed', 'expired')";
  assert.equal(await later.query(givenUp), '0', 'no mail was given up');
  await later.checkData();
  await later.end();
}

test(`killed ${KILLS} times under load`, async (t) => {
  const random = new Random();
  t.diagnostic(`SERVERY_SEED=${seed}`);
  const smtp = await startSmtp();
  const shop = new Shop({ mail: smtp.url });
  const load = new Load(smtp, { random });
  t.after(async () => {
    load.close();
    await shop.remove();
    await smtp.close();
  });

  await shop.start();
  await load.prepare(shop);
  const starts = [];
  let pending = 0;
  let done = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    pending += await killUnderLoad(shop, load, random);
    starts.push(await firstAnswer(shop));
    load.connect(shop.port);
    done += await load.verifyAndSettle();
    await shop.checkData();
  }
  await load.verifyAll();

  starts.sort((a, b) => a - b);
  t.diagnostic(`first answer after a kill: median ${starts[KILLS / 2].toFixed(0)} ms, ` +
    `at most ${starts.at(-1).toFixed(0)} ms`);
  t.diagnostic(`${load.count} calls acknowledged, ${load.orders.size} orders, ${pending} calls ` +
    `under way at a kill, ${done} of them done`);
  assert.ok(load.orders.size > 0 && pending > 0, 'the load was none');
  await verifyMails(t, shop, load, smtp);
});
