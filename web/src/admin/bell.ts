/* The kitchen's bell. Browsers are silent until somebody has touched the page, so the bell is
 * turned on by hand once; after a reload it is ready again at the first touch of anything. */
import { computed, signal } from '@preact/signals';
import { inBrowser } from '../state/kept';

const RING_EVERY_MS = 4000;
const WARN_EVERY_MS = 30_000;
const WARN_AFTER_MS = 5000;
const ONCE_S = 0.6;

export type BellState = 'off' | 'waiting' | 'on'; // waiting: for a touch

const isWanted = signal(inBrowser.get('bell') === 1);
const isRunning = signal(false);
export const bell = computed<BellState>(() => {
  if (!isWanted.value)
    return 'off';
  return isRunning.value ? 'on' : 'waiting';
});

let context: AudioContext | null = null;

/* One struck tone, as of a small metal bell: it begins at once and fades. */
function strike(audio: AudioContext, hertz: number, at: number, loud: number) {
  for (const [times, part] of [[1, 1], [2, 0.35], [3.01, 0.12]] as const) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = hertz * times;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(loud * part, at + 0.012);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 1.1 / times);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 1.2);
  }
}

function play(tones: [hertz: number, after: number][], loud: number) {
  if (bell.peek() !== 'on' || !context)
    return;
  for (const [hertz, after] of tones)
    strike(context, hertz, context.currentTime + 0.02 + after, loud);
}

let rungAt = -ONCE_S;

/* As loud as may be; twice at the same time would be a rattle. */
export function ringOnce() {
  const now = context?.currentTime ?? 0;
  if (now - rungAt < ONCE_S)
    return;
  rungAt = now;
  play([[880, 0], [698.5, 0.32]], 0.65);
}

/* Low and twice, so that nobody takes it for an order. */
function warnOnce() {
  play([[220, 0], [196, 0.4]], 0.5);
}

async function wake() {
  try {
    context ??= new AudioContext();
    context.onstatechange = () => { isRunning.value = context?.state === 'running'; };
    await context.resume();
    isRunning.value = context.state === 'running';
  } catch {
    isRunning.value = false; // no sound in this browser
  }
}

/* Only in answer to a touch. */
export async function turnOn() {
  isWanted.value = true;
  inBrowser.set('bell', 1);
  await wake();
  ringOnce();
}

export function turnOff() {
  isWanted.value = false;
  inBrowser.set('bell', null);
}

/* Makes a wanted bell ready at the first touch; returns how to end that. */
export function wakeAtTouch(): () => void {
  if (bell.peek() === 'waiting' && navigator.userActivation?.hasBeenActive)
    void wake();
  const onTouch = () => {
    if (bell.peek() === 'waiting')
      void wake();
  };
  const kinds = ['pointerup', 'click', 'keydown'] as const; // a finger's pointerdown allows no sound
  kinds.forEach((kind) => addEventListener(kind, onTouch, true));
  return () => kinds.forEach((kind) => removeEventListener(kind, onTouch, true));
}

function every(ms: number, first: number, action: () => void): () => void {
  let timer = setTimeout(function again() {
    action();
    timer = setTimeout(again, ms);
  }, first);
  return () => clearTimeout(timer);
}

/* One tab of the browser makes a sound, however many show the board; the next one when it goes. */
function alone(name: string, begin: () => () => void): () => void {
  if (!navigator.locks)
    return begin();
  const over = new AbortController();
  const hold = () => new Promise<void>((resolve) => {
    const end = begin();
    over.signal.addEventListener('abort', () => {
      end();
      resolve();
    });
  });
  navigator.locks.request(`servery.${name}`, { signal: over.signal }, hold)
    .catch(() => {}); // it was over before its turn came
  return () => over.abort();
}

/* Rings until it is ended. */
export const ring = () => alone('bell', () => every(RING_EVERY_MS, 0, ringOnce));
export const warn = () => alone('warning', () => every(WARN_EVERY_MS, WARN_AFTER_MS, warnOnce));
