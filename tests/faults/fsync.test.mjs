// Writes and syncs that fail under the running server: no false acknowledgement, nothing half done,
// and the server survives and goes on as soon as they work again.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import test from 'node:test';
import { logInAdmin } from '../lib/shop.mjs';
import { startSmtp } from '../lib/smtp.mjs';
import { Load } from './load.mjs';
import { Random, seed } from './random.mjs';
import { Shop } from './shop.mjs';
import { Tampering } from './strace.mjs';

const skip = Tampering.whyNot() !== '';
const name = (text) => (skip ? `${text} (skipped: ${Tampering.whyNot()})` : text);

const SYNCS = 'fdatasync,fsync';
const REFUSALS = 12; // at least, of each fault

/* A write of which the kernel says that nothing was written is the shortest one there is. (A longer
 * one cannot be pretended: strace would skip the bytes that it says were written.) */
const FAULTS = [
  ['every third sync fails', SYNCS, 'error=EIO:when=3+3'],
  ['every sync fails', SYNCS, 'error=EIO'],
  ['some writes fail', 'pwrite64', 'error=EIO:when=7+11'],
  ['some writes find the disk full', 'pwrite64', 'error=ENOSPC:when=7+11'],
  ['some writes write nothing', 'pwrite64', 'retval=0:when=7+11'],
  ['every write fails', 'pwrite64', 'error=EIO'],
];

async function shopWithLoad(t) {
  t.diagnostic(`SERVERY_SEED=${seed}`);
  const smtp = await startSmtp();
  const shop = new Shop({ mail: smtp.url });
  const load = new Load(smtp, { customers: 4, random: new Random(), strict: true });
  t.after(async () => {
    load.close();
    await shop.remove();
    await smtp.close();
  });
  await shop.start();
  await load.prepare(shop);
  return { shop, load };
}

async function underFault(load, shop, calls, fault) {
  load.start();
  await load.after(20);
  load.mayRefuse = true;
  const tampering = await Tampering.attach(shop.pid, calls, fault);
  const goal = load.refusals + REFUSALS;
  await load.until(() => load.refusals >= goal);
  return tampering;
}

// All goes on at once, without a single refusal more.
async function recovered(load) {
  load.mayRefuse = false;
  load.start();
  await load.after(20);
}

async function killed(load, shop) {
  load.mayLose = true;
  await shop.kill();
  await load.halt();
  load.mayLose = false;
  load.mayRefuse = false;
  await shop.start();
  load.connect(shop.port);
  await load.verifyAndSettle();
  await load.verifyAll();
  await shop.checkData();
}

for (const [what, calls, fault] of FAULTS) {
  test(name(what), { skip }, async (t) => {
    const { shop, load } = await shopWithLoad(t);

    let tampering = await underFault(load, shop, calls, fault);
    await load.halt();
    const failed = await tampering.detach();
    assert.ok(failed > 0, 'nothing was made to fail');
    await recovered(load);
    await load.halt();
    const { log } = shop;
    await killed(load, shop);
    assert.deepEqual(log.filter((line) => line.event === 'request_failed'), []);

    // Ended in the midst of it: what was refused last may be there, as a whole.
    tampering = await underFault(load, shop, calls, fault);
    await killed(load, shop);
    assert.ok(await tampering.detach() > 0, 'nothing was made to fail');
    await recovered(load);
    await load.halt();
    await load.verifyAll();
    t.diagnostic(`${failed} calls made to fail, ${load.refusals} answers 503, ` +
      `${load.count} acknowledged`);
    await shop.end();
    await shop.checkData();
  });
}

/* After a failed sync the refused commit stands whole in the log, where a server that starts after a
 * crash would find it. */
test(name('what one failed sync refused does not come back'), { skip }, async (t) => {
  const shop = new Shop();
  t.after(() => shop.remove());
  await shop.start();
  await shop.makeAdmin();
  const admin = await logInAdmin(shop);
  await admin.put('/api/me', { name: 'Before' });
  const tampering = await Tampering.attach(shop.pid, SYNCS, 'error=EIO:when=1');
  await admin.put('/api/me', { name: 'Refused' }, { expect: 503 });
  assert.equal((await admin.get('/api/me')).body.name, 'Before');
  await shop.kill();
  assert.equal(await tampering.detach(), 1);
  await shop.start();
  assert.equal((await admin.get('/api/me')).body.name, 'Before');
  await admin.put('/api/me', { name: 'After' });
  await shop.end();
  await shop.checkData();
});

// Here the kernel itself cuts writes short, and sends a signal that would end the process.
test('a log that may not grow', async (t) => {
  const { shop, load } = await shopWithLoad(t);
  const limit = (bytes) =>
    execFileSync('prlimit', ['--pid', String(shop.pid), `--fsize=${bytes}:unlimited`]);

  load.start();
  await load.after(20);
  load.mayRefuse = true;
  limit(statSync(`${shop.file}-wal`).size + 5000);
  const goal = load.refusals + REFUSALS;
  await load.until(() => load.refusals >= goal);
  await load.halt();
  limit('unlimited');
  await recovered(load);
  await killed(load, shop);
  await shop.end();
});
