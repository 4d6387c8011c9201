// A disk of a few megabytes that can be filled up and emptied again: a tmpfs of its own.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class SmallDisk {
  // Throws with the reason where mounting is not allowed.
  constructor(size = '16m') {
    this.dir = mkdtempSync(join(tmpdir(), 'servery-disk-'));
    this.ballast = join(this.dir, 'ballast');
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', this.dir],
        { stdio: ['ignore', 'ignore', 'pipe'] });
    } catch (error) {
      rmSync(this.dir, { recursive: true });
      throw new Error(String(error.stderr ?? error.message).trim(), { cause: error });
    }
  }

  // Not a byte is left afterwards.
  fill() {
    const file = openSync(this.ballast, 'a');
    for (let size = 65536; size > 0;) {
      try {
        writeSync(file, Buffer.alloc(size));
      } catch (error) {
        if (error.code !== 'ENOSPC') throw error;
        size = Math.floor(size / 2);
      }
    }
    closeSync(file);
  }

  free() {
    unlinkSync(this.ballast);
  }

  remove() {
    execFileSync('umount', [this.dir]);
    rmSync(this.dir, { recursive: true });
  }

  // Why there can be none; '' if there can.
  static whyNot() {
    try {
      new SmallDisk().remove();
      return '';
    } catch (error) {
      return process.getuid() === 0 ? error.message : 'mounting a tmpfs needs root';
    }
  }
}
