/* Live news from the server, one stream for all tabs of the browser: the tab that holds the lock reads
 * it and tells the others. When that tab goes, the next in the queue takes over. A stream that opens
 * may have missed something, so whoever follows reads again then; a sleeping phone, whose connection
 * died without a word, opens it anew when it wakes.
 *
 * Locks want https (or this machine); without them each tab reads a stream of its own. */
import { type Signal, signal } from '@preact/signals';
import { whenReachedAgain } from './connection';
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
  | { kind: 'state'; state: LiveState }
  | { kind: 'ask' };

const RETRY_MS = 3000;
const RETRY_MAX_MS = 30_000;
const ASLEEP_MS = 20_000; // hidden for longer, a connection may be dead
const ANSWER_MS = 3000;   // a leader that does not answer for so long is frozen

export class Live {
  readonly state: Signal<LiveState> = signal('connecting');
  private source: EventSource | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private retryMs = RETRY_MS;
  private hiddenAt = 0;
  private isOver = false;
  private isLeader = false;
  private heard = 0;
  private release = () => {};
  private ends: (() => void)[] = [];

  constructor(private readonly follower: Follower) {
    const name = this.channel;
    this.ends.push(
      listen(name, (message) => this.hear(message as Message)),
      whenReachedAgain(() => this.wake(true)),
    );
    document.addEventListener('visibilitychange', this.onVisibility);
    if (navigator.locks) {
      tell(name, { kind: 'ask' } satisfies Message);
      void this.queue(false);
    } else {
      this.isLeader = true;
      this.open();
    }
  }

  close() {
    this.isOver = true;
    document.removeEventListener('visibilitychange', this.onVisibility);
    this.ends.forEach((end) => end());
    this.stop();
    this.release();
  }

  private get channel() {
    return `live${this.follower.url}`;
  }

  /* Waits for its turn to read the stream, and reads it until it is closed or robbed of it. */
  private async queue(steal: boolean) {
    try {
      await navigator.locks.request(this.channel, { steal }, () => {
        if (this.isOver)
          return undefined;
        this.isLeader = true;
        this.open();
        return new Promise<void>((resolve) => { this.release = resolve; });
      });
    } catch {
      // Another tab took it, because this one seemed frozen.
      this.stop();
      this.isLeader = false;
      if (!this.isOver)
        void this.queue(false);
    }
  }

  private stop() {
    clearTimeout(this.retry);
    this.source?.close();
    this.source = null;
  }

  private open() {
    this.stop();
    const source = new EventSource(this.follower.url);
    this.source = source;
    source.onopen = () => {
      this.retryMs = RETRY_MS;
      this.setState('live');
    };
    source.onerror = () => {
      this.setState('lost');
      if (source.readyState !== EventSource.CLOSED || this.source !== source)
        return; // the browser tries again by itself
      this.retry = setTimeout(() => this.open(), this.retryMs);
      this.retryMs = Math.min(this.retryMs * 2, RETRY_MAX_MS);
    };
    for (const name of this.follower.events)
      source.addEventListener(name, (event) => {
        const data: unknown = JSON.parse((event as MessageEvent<string>).data || 'null');
        tell(this.channel, { kind: 'event', name, data } satisfies Message);
        this.follower.onEvent(name, data);
      });
  }

  private setState(state: LiveState) {
    tell(this.channel, { kind: 'state', state } satisfies Message);
    this.enter(state);
  }

  private enter(state: LiveState) {
    this.state.value = state;
    if (state === 'live')
      this.follower.onOpen();
  }

  private hear(message: Message) {
    if (message.kind === 'ask') {
      if (this.isLeader)
        tell(this.channel, { kind: 'state', state: this.state.peek() } satisfies Message);
      return;
    }
    this.heard = Date.now();
    if (this.isLeader)
      return;
    if (message.kind === 'event')
      this.follower.onEvent(message.name, message.data);
    else if (message.state !== this.state.peek())
      this.enter(message.state);
  }

  private onVisibility = () => {
    if (document.hidden)
      this.hiddenAt = Date.now();
    else
      this.wake(Date.now() - this.hiddenAt > ASLEEP_MS);
  };

  private wake(isLong: boolean) {
    if (this.isOver)
      return;
    if (this.isLeader) {
      if (isLong || this.source?.readyState !== EventSource.OPEN)
        this.open();
      return;
    }
    this.follower.onOpen();
    const asked = Date.now();
    tell(this.channel, { kind: 'ask' } satisfies Message);
    setTimeout(() => {
      if (!this.isOver && !this.isLeader && this.heard < asked)
        void this.queue(true);
    }, ANSWER_MS);
  }
}
