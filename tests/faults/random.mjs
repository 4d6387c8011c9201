// Random numbers that can be had again: SERVERY_SEED repeats a run.
export const seed = Number(process.env.SERVERY_SEED ?? Math.floor(Math.random() * 2 ** 32));

// Mulberry32.
export class Random {
  constructor(start = seed) {
    this.state = start >>> 0;
  }

  // In [0, 1).
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  // A whole number in [from, to].
  int(from, to) {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(probability) {
    return this.next() < probability;
  }

  pick(list) {
    return list[this.int(0, list.length - 1)];
  }
}
