/* Live news from the server, one stream for all tabs of the browser: the tab that holds the lock
 * reads it and tells the others. When that tab goes, the next in the queue takes over; when it is
 * frozen, one that is looked at takes the lock from it. News may come twice (a stream that opens
 * repeats what was) and is passed on once. What may have been missed is read again: when the stream
 * opens, when a sleeping phone wakes, and as often as a stream that is refused is asked for.
 *
 * Locks want https (or this machine); without them each tab reads a stream of its own. */
import { type Signal, signal } from '@preact/signals';
import { call } from '../api';
import { checkConnection, whenReachedAgain } from './connection';
import { listen, tell } from './tabs';

export type LiveState = 'connecting' | 'live' | 'lost';

export interface Follower {
  url: string;
  events: string[];
  onEvent: (name: string, data: unknown) => void;
  onOpen: () => void; // read again: something may have been missed
}

type Message =
  | { kind: 'event'; name: string; data: unknown }
  | { kind: 'state'; state: LiveState; anew: boolean } // anew: the stream has just opened
  | { kind: 'ask'; doubt: boolean }; // doubt: the connection may be dead without a word

const RETRY_MS = 2000;
const RETRY_MAX_MS = 30_000;
const ASLEEP_MS = 20_000; // hidden or stopped for longer, a connection may be dead
const PULSE_MS = 5000;
const ANSWER_MS = 3000;   // a leader that does not answer for so long is frozen
const KNOWN_MAX = 1000;

/* Events that have an id of their own are known by it. */
class Known {
  private readonly ids = new Set<number>();

  has(data: unknown): boolean {
    const id = (data as { id?: unknown } | null)?.id;
    if (typeof id !== 'number')
      return false;
    if (this.ids.has(id))
      return true;
    this.ids.add(id);
    if (this.ids.size > KNOWN_MAX)
      this.ids.delete(this.ids.values().next().value!);
    return false;
  }
}

export class Live {
  readonly state: Signal<LiveState> = signal('connecting');
  private readonly known = new Known();
  private source: EventSource | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private retryMs = RETRY_MS;
  private hiddenAt = Date.now();
  private pulseAt = Date.now();
  private isLeader = false;
  private isQueued = false;
  private heard = 0;
  private openedAt = 0;
  private waiting = new AbortController();
  private release = () => {};
  private readonly ends: (() => void)[] = [];

  constructor(private readonly follower: Follower) {
    const pulse = setInterval(this.onPulse, PULSE_MS);
    this.ends.push(
      listen(this.channel, (message) => this.hear(message as Message)),
      whenReachedAgain(() => this.wake(true)),
      () => clearInterval(pulse),
      this.on(document, 'visibilitychange', this.onVisibility),
      this.on(window, 'pagehide', () => this.leave()),
      this.on(window, 'pageshow', (event) => {
        if ((event as PageTransitionEvent).persisted)
          this.begin();
      }),
    );
    this.begin();
  }

  close() {
    this.ends.forEach((end) => end());
    this.leave();
  }

  /* For whoever has learnt elsewhere what the stream should have told. */
  renew() {
    this.wake(true);
  }

  private get channel() {
    return `live${this.follower.url}`;
  }

  private on(target: EventTarget, name: string, action: (event: Event) => void) {
    target.addEventListener(name, action);
    return () => target.removeEventListener(name, action);
  }

  private tell(message: Message) {
    tell(this.channel, message);
  }

  /* ---- Who reads ---- */

  private begin() {
    this.waiting = new AbortController();
    if (navigator.locks) {
      this.ask(false);
      void this.queue(false);
    } else {
      this.isLeader = true;
      this.open();
    }
  }

  private leave() {
    this.stop();
    this.isLeader = false;
    this.isQueued = false;
    this.waiting.abort();
    this.release();
  }

  /* Waits for its turn to read the stream, and reads it until it is closed or robbed of it. */
  private async queue(steal: boolean) {
    const { signal: gone } = this.waiting;
    if (this.isQueued && !steal)
      return;
    this.isQueued ||= !steal;
    try {
      await navigator.locks.request(this.channel, steal ? { steal } : { signal: gone }, () => {
        this.isQueued &&= steal;
        if (gone.aborted || this.isLeader)
          return undefined;
        this.isLeader = true;
        this.open();
        return new Promise<void>((resolve) => { this.release = resolve; });
      });
    } catch {
      if (gone.aborted)
        return;
      this.stop(); // another tab took it, because this one seemed frozen
      this.isLeader = false;
      this.follower.onOpen();
      this.tell({ kind: 'ask', doubt: false });
      void this.queue(false);
    }
  }

  /* The leader answers, or it is frozen and loses its place. */
  private ask(doubt: boolean) {
    const asked = Date.now();
    const { signal: gone } = this.waiting;
    this.tell({ kind: 'ask', doubt });
    setTimeout(() => {
      if (!gone.aborted && !this.isLeader && this.heard < asked && !document.hidden)
        void this.queue(true);
    }, ANSWER_MS);
  }

  /* ---- The stream ---- */

  private stop() {
    clearTimeout(this.retry);
    this.source?.close();
    this.source = null;
  }

  private open() {
    this.stop();
    const source = new EventSource(this.follower.url);
    this.source = source;
    this.openedAt = Date.now();
    source.onopen = () => {
      this.retryMs = RETRY_MS;
      this.tell({ kind: 'state', state: 'live', anew: true });
      this.enter('live');
    };
    source.onerror = () => {
      if (this.source === source)
        void this.onError(source);
    };
    for (const name of this.follower.events)
      source.addEventListener(name, (event) => {
        const data: unknown = JSON.parse((event as MessageEvent<string>).data || 'null');
        this.tell({ kind: 'event', name, data });
        this.pass(name, data);
      });
  }

  /* A connection that broke is opened again by the browser itself. An answer that was no stream
   * closes it, and does not say why: a session that has ended shows when it is asked for. */
  private async onError(source: EventSource) {
    this.tell({ kind: 'state', state: 'lost', anew: false });
    this.enter('lost');
    if (source.readyState !== EventSource.CLOSED) {
      void checkConnection();
      return;
    }
    const wait = this.retryMs * (0.75 + Math.random() / 2);
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MAX_MS);
    this.retry = setTimeout(() => {
      this.follower.onOpen();
      this.open();
    }, wait);
    await call('get', '/api/me').catch(() => {});
  }

  private enter(state: LiveState) {
    this.state.value = state;
    if (state === 'live')
      this.follower.onOpen();
  }

  private pass(name: string, data: unknown) {
    if (!this.known.has(data))
      this.follower.onEvent(name, data);
  }

  private hear(message: Message) {
    if (message.kind === 'ask') {
      if (!this.isLeader)
        return;
      this.tell({ kind: 'state', state: this.state.peek(), anew: false });
      if (this.source?.readyState === EventSource.CLOSED
        || (message.doubt && Date.now() - this.openedAt > ASLEEP_MS))
        this.open(); // whoever asks is looked at; a hidden tab's own timers may be slow
      return;
    }
    this.heard = Date.now();
    if (message.kind === 'event')
      this.pass(message.name, message.data);
    else if (!this.isLeader && (message.anew || message.state !== this.state.peek()))
      this.enter(message.state);
  }

  /* ---- Sleeping and waking ---- */

  private readonly onVisibility = () => {
    if (document.hidden)
      this.hiddenAt = Date.now();
    else
      this.wake(Date.now() - this.hiddenAt > ASLEEP_MS);
  };

  /* A computer that slept with the page in sight tells nothing but by its clock. */
  private readonly onPulse = () => {
    const slept = Date.now() - this.pulseAt > ASLEEP_MS;
    this.pulseAt = Date.now();
    if (slept && !document.hidden)
      this.wake(true);
  };

  private wake(isLong: boolean) {
    this.follower.onOpen();
    if (!this.isLeader)
      this.ask(isLong);
    else if (isLong || this.source?.readyState !== EventSource.OPEN)
      this.open();
  }
}
