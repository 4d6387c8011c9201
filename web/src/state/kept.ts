/* What a browser keeps for itself: in a tab (a sign-up under way, the draft of an order) or over
 * visits (the cart of somebody who has not logged in). Never a token of a session. A browser that
 * refuses to keep anything is as good as an empty one, and so is what does not look as it should: a
 * past version of the pages wrote it, or a curious customer. */
type Check = (value: unknown) => boolean;

function read<T>(storage: () => Storage, name: string, isRight: Check): T | null {
  try {
    const value = JSON.parse(storage().getItem(`servery.${name}`) ?? 'null');
    return isRight(value) ? value : null;
  } catch {
    return null;
  }
}

function write(storage: () => Storage, name: string, value: unknown) {
  try {
    if (value === null || value === undefined)
      storage().removeItem(`servery.${name}`);
    else
      storage().setItem(`servery.${name}`, JSON.stringify(value));
  } catch {
    // Full or refused: the page works without.
  }
}

export const inTab = {
  get: <T>(name: string, isRight: Check = () => true) => read<T>(() => sessionStorage, name, isRight),
  set: (name: string, value: unknown) => write(() => sessionStorage, name, value),
};

export const inBrowser = {
  get: <T>(name: string, isRight: Check = () => true) => read<T>(() => localStorage, name, isRight),
  set: (name: string, value: unknown) => write(() => localStorage, name, value),
};

/* Whether it is an object whose members have these types, by name. */
export function hasShape(types: Record<string, 'string' | 'number'>): Check {
  return (value) => typeof value === 'object' && value !== null
    && Object.entries(types).every(([name, type]) => typeof (value as Record<string, unknown>)[name] === type);
}

/* What was kept of somebody's orders, beside what his account keeps. */
const PERSONAL = { tab: ['order', 'order.attempt'], browser: ['prices', 'fulfilment', 'board.seen'] };

export function forget() {
  PERSONAL.tab.forEach((name) => inTab.set(name, null));
  PERSONAL.browser.forEach((name) => inBrowser.set(name, null));
}
