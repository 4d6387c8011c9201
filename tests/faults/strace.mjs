// System calls of a running process that fail, by strace's tampering.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Tampering {
  /* Resolves once every thread of the process is under control, so that no later call escapes.
   * fault is strace's: 'error=EIO:when=2+3' fails each thread's second call, its fifth, … */
  static async attach(pid, calls, fault) {
    const tampering = new Tampering();
    tampering.dir = mkdtempSync(join(tmpdir(), 'servery-strace-'));
    tampering.file = join(tampering.dir, 'calls');
    const child = spawn('strace', ['-f', '-p', String(pid), '-o', tampering.file,
      '-e', `trace=${calls}`, '-e', `inject=${calls}:${fault}`],
    { stdio: ['ignore', 'ignore', 'pipe'] });
    tampering.child = child;
    tampering.closed = once(child, 'close');
    let said = '';
    child.stderr.setEncoding('utf8');
    await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', () => reject(new Error(`strace ended: ${said}`)));
      child.stderr.on('data', (text) => {
        said += text;
        if (/Process \d+ attached/.test(said)) resolve();
      });
    });
    return tampering;
  }

  // The process goes on undisturbed. Gives the number of calls that were made to fail.
  async detach() {
    this.child.kill('SIGINT');
    await this.closed;
    const text = readFileSync(this.file, 'latin1');
    rmSync(this.dir, { recursive: true });
    return text.split('(INJECTED)').length - 1;
  }

  // Why there can be none; '' if there can.
  static whyNot() {
    const tried = spawnSync('strace', ['-f', '-o', '/dev/null', '-e', 'trace=none', 'true']);
    if (tried.error) return 'strace is not installed';
    return tried.status === 0 ? '' : `strace may not trace: ${String(tried.stderr).trim()}`;
  }
}
