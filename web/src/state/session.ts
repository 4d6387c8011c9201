/* Who is logged in. The cookie is the session; a mark in the browser only says that asking is worth it,
 * so that visitors cause no refused call. */
import { computed, signal } from '@preact/signals';
import { type User, call, whenUnauthenticated } from '../api';
import { inBrowser } from './kept';
import { listen, tell } from './tabs';

/* undefined: not known yet; null: nobody. */
export const me = signal<User | null | undefined>(inBrowser.get('known') ? undefined : null);
export const isAdmin = computed(() => me.value?.role === 'admin');

/* Somebody's session ended without his wish: the log-in page says so. */
export const wasEnded = signal(false);

export function setMe(user: User | null) {
  const changed = me.peek()?.id !== user?.id;
  me.value = user;
  inBrowser.set('known', user ? 1 : null);
  if (user)
    wasEnded.value = false;
  if (changed)
    tell('session', user?.id ?? null);
}

whenUnauthenticated(() => {
  if (me.peek())
    wasEnded.value = true;
  setMe(null);
});

export async function loadMe() {
  if (!inBrowser.get('known')) {
    me.value = null;
    return;
  }
  try {
    me.value = await call('get', '/api/me');
  } catch {
    me.value ??= null; // 401 has set it already; without a connection it is asked again later
  }
}

export async function logOut() {
  await call('post', '/api/logout').catch((error) => {
    if (error.status !== 401)
      throw error;
  });
  setMe(null);
  wasEnded.value = false;
}

listen('session', (id) => {
  if (id !== (me.peek()?.id ?? null))
    void loadMe();
});

/* Where to go after logging in: a page of our own, never another site. */
export function nextPage(query: Record<string, string>): string | null {
  const next = query.next ?? '';
  return /^\/(?![/\\])/.test(next) ? next : null;
}

export function loginAddress(back = location.pathname + location.search): string {
  return back === '/' ? '/login' : `/login?next=${encodeURIComponent(back)}`;
}
