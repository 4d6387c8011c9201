/* Who is logged in. The cookie is the session; a mark in the browser only says that asking is worth
 * it, so that visitors cause no refused call. */
import { batch, computed, effect, signal } from '@preact/signals';
import { CallError, type User, call, whenUnauthenticated } from '../api';
import { whenReachedAgain } from './connection';
import { forget, inBrowser } from './kept';
import { listen, tell } from './tabs';
import { toasts } from './toast';

/* undefined: not known yet; null: nobody. */
export const me = signal<User | null | undefined>(inBrowser.get('known') ? undefined : null);
export const isAdmin = computed(() => me.value?.role === 'admin');

/* Somebody's session ended without his wish: the log-in page says so. */
export const wasEnded = signal(false);

/* Who was in last: a session that has ended may be gone on with. */
let last: number | null = null;
effect(() => { last = me.value?.id ?? last; });

/* One more with each log-in and each end of a session. */
let session = 0;

/* What the tabs tell each other. Not by way of what is kept: that may reach another tab later. */
interface News { user: User | null; wasEnded: boolean }

function enter({ user, wasEnded: isEnded }: News) {
  const had = last;
  if (user?.id !== me.peek()?.id)
    session++;
  last = user?.id ?? (isEnded ? had : null);
  if (had !== null && had !== last) { // whoever uses this browser next is somebody else
    forget();
    toasts.value = [];
  }
  batch(() => {
    me.value = user;
    wasEnded.value = isEnded && !user;
  });
  inBrowser.set('known', user ? 1 : null);
}

function change(news: News) {
  enter(news);
  tell('session', news);
}

listen('session', (news) => enter(news as News));

export function setMe(user: User) {
  change({ user, wasEnded: false });
}

/* Nobody is logged in any more, by his own wish. */
export function leave() {
  change({ user: null, wasEnded: false });
}

whenUnauthenticated(() => session, () => {
  if (me.peek() !== null)
    change({ user: null, wasEnded: true });
});

const AGAIN_MS = 5000;

/* Asks who is logged in. Without an answer that stays unknown, and is asked again. */
export async function loadMe(): Promise<void> {
  const before = me.peek();
  if (!inBrowser.get('known')) {
    me.value = null;
    return;
  }
  try {
    const user = await call('get', '/api/me');
    if (me.peek() === before)
      me.value = user;
  } catch (error) {
    if (me.peek() === undefined && error instanceof CallError && error.status > 0)
      setTimeout(loadMe, (error.retryAfterS ?? 0) * 1000 || AGAIN_MS);
  }
}

whenReachedAgain(() => {
  if (me.peek() === undefined)
    void loadMe();
});

export async function logOut() {
  await call('post', '/api/logout').catch((error) => {
    if (!(error instanceof CallError) || error.status !== 401)
      throw error;
  });
  leave();
}

/* Pages on the way in: nobody wants to be sent to one of them after it. */
const DOORS = ['/login', '/signup', '/verify', '/forgot', '/reset'];

/* Where to go after logging in: a page of our own, never another site. */
export function nextPage({ next = '' }: Record<string, string>): string | null {
  if (!next.startsWith('/'))
    return null;
  try {
    const { origin, pathname, search, hash } = new URL(next, location.origin);
    const isOurs = origin === location.origin && !pathname.startsWith('//');
    const isDoor = DOORS.includes(pathname.replace(/\/+$/, ''));
    return isOurs && !isDoor ? pathname + search + hash : null;
  } catch {
    return null;
  }
}

/* The address of a page on the way in that remembers where one wanted to go. */
export function withNext(path: string, next: string | null): string {
  return next && next !== '/' ? `${path}?next=${encodeURIComponent(next)}` : path;
}

export function loginAddress(back = location.pathname + location.search): string {
  return withNext('/login', back);
}
