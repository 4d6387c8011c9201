/* The way in, and on: where one wanted to go before being asked who one is. */
import { useLocation } from 'preact-iso/router';
import { useEffect, useRef } from 'preact/hooks';
import type { User } from '../api';
import { enter } from '../state/cart';
import { me, nextPage, setMe } from '../state/session';
import { forgetSignup } from '../state/signup';
import { toast } from '../state/toast';

/* Whoever goes back after logging in means the page before the forms. */
let traversedTo = '';
addEventListener('popstate', () => { traversedTo = location.href; });

export interface Onward {
  next: string | null;
  /* Lets the user in, his cart joined by what was chosen before, and goes on. */
  arrive: (user: User, words?: string) => Promise<void>;
}

/* Whoever is logged in already is sent on. `home` is for those who wanted nothing in particular. */
export function useOnward(home = '/account'): Onward {
  const { query, route } = useLocation();
  const next = nextPage(query);
  const isArriving = useRef(false);
  const user = me.value;
  const wasKnown = useRef(!!user);
  useEffect(() => {
    if (!user || isArriving.current)
      return;
    if (wasKnown.current && traversedTo === location.href)
      history.back();
    else
      route(next ?? home, true);
  }, [user]);

  async function arrive(found: User, words?: string) {
    isArriving.current = true;
    setMe(found);
    forgetSignup();
    await enter().catch(() => {}); // what could not join now does so later
    if (words && !next) // who wanted to go somewhere sees it by being there
      toast(words, { kind: 'good' });
    route(next ?? (found.role === 'admin' ? '/admin' : '/'), true);
  }
  return { next, arrive };
}
