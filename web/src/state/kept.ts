/* What a browser keeps for itself: in a tab (a sign-up under way, the draft of an order) or over
 * visits (the cart of somebody who has not logged in). Never a token of a session. A browser that
 * refuses to keep anything is as good as an empty one. */
function read<T>(storage: () => Storage, name: string): T | null {
  try {
    return JSON.parse(storage().getItem(`servery.${name}`) ?? 'null');
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
  get: <T>(name: string) => read<T>(() => sessionStorage, name),
  set: (name: string, value: unknown) => write(() => sessionStorage, name, value),
};

export const inBrowser = {
  get: <T>(name: string) => read<T>(() => localStorage, name),
  set: (name: string, value: unknown) => write(() => localStorage, name, value),
};
