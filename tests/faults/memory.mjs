// Allocations of a running program that fail, by a preloaded library that reads its orders from a file.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { buildDir } from '../lib/build.mjs';

const [LEFT, , MADE, FAILED] = [0, 8, 16, 24];
const SIZE = 32;

export class Memory {
  constructor(folder) {
    this.file = join(folder, 'allocations');
    this.fd = openSync(this.file, 'w+');
    this.disarm();
  }

  environment() {
    return {
      LD_PRELOAD: join(buildDir, 'tests/faults/malloc_fail.so'),
      MALLOC_FAIL_FILE: this.file,
    };
  }

  // The nth allocation from now on fails, and `more` after it.
  arm(nth, more = 0) {
    const orders = Buffer.alloc(SIZE);
    orders.writeBigInt64LE(BigInt(nth + more), LEFT);
    orders.writeBigInt64LE(BigInt(more), 8);
    writeSync(this.fd, orders, 8, SIZE - 8, 8); // the countdown last
    writeSync(this.fd, orders, LEFT, 8, LEFT);
  }

  disarm() {
    writeSync(this.fd, Buffer.alloc(SIZE), 0, SIZE, 0);
  }

  #read(offset) {
    const number = Buffer.alloc(8);
    readSync(this.fd, number, 0, 8, offset);
    return Number(number.readBigInt64LE());
  }

  // Since the last arm or disarm.
  get made() {
    return this.#read(MADE);
  }

  get failed() {
    return this.#read(FAILED);
  }

  close() {
    closeSync(this.fd);
  }
}

// At most `most` of 1 … n, evenly apart; which ones of those between, `random` says.
export function sample(n, most, random) {
  const step = Math.max(1, n / most);
  const shift = random.next() * (step - 1);
  return Array.from({ length: Math.min(n, most) }, (_, i) => 1 + Math.floor(i * step + shift));
}
