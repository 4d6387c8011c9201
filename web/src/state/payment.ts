/* The one payment that an account may have open. */
import { CallError, type Payment, call } from '../api';
import { loadCart } from './cart';

/* One that is not open any more is let be: what became of it, the cart says. */
export async function giveUp({ id }: Payment) {
  await call('delete', '/api/payments/{id}', { id }).catch((error) => {
    if (!(error instanceof CallError) || ![404, 409].includes(error.status))
      throw error;
  });
  await loadCart().catch(() => {}); // without a connection, it is read when there is one again
}

/* Where to pay. Our own page keeps the application running, and its token stays behind the #. */
export function goToPay(url: string, route: (url: string, replace?: boolean) => void) {
  const { origin, pathname, search, hash } = new URL(url, location.href);
  if (origin === location.origin)
    route(pathname + search + hash);
  else
    location.href = url;
}
