/* What every page needs: calls to the API, their problems in words, elements, forms, money. */

export let shop;
let skewMs = 0; // the server's clock minus ours

/* Set by the page that knows better. */
export const hooks = {
  foodName: () => 'the dish',
  unauthenticated() {},
};

export async function loadShop() {
  shop ??= await call('GET', '/api/shop');
  document.getElementById('brand').textContent = shop.name;
  return shop;
}

/* Deadlines are the server's: a phone's clock may be wrong. */
export function serverNow() {
  return Date.now() + skewMs;
}

/* ---- Talking to the server ---- */

export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body.detail ?? body.title ?? 'Something went wrong. Please try again.');
    Object.assign(this, { status, body, code: body.code, rows: body.errors ?? [], retryAfter });
  }

  /* What to tell a person. */
  words() {
    const names = this.rows.filter((row) => row.food_id).map((row) => hooks.foodName(row.food_id));
    if (names.length)
      return `Not to be had any more as ordered: ${names.join(', ')}. The rest of your cart is safe.`;
    if (this.status === 429 && this.retryAfter)
      return `${this.message} Try again in ${waitText(this.retryAfter)}.`;
    return this.rows.length ? this.rows.map((row) => row.detail).join(' ') : this.message;
  }
}

function waitText(seconds) {
  return seconds < 100 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}

/* The answer, or a Problem is thrown. */
export async function call(method, path, body, headers = {}) {
  const options = { method, headers: { ...headers } };
  if (body) {
    options.headers['Content-Type'] = 'application/json';
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Problem(0, { detail: 'No connection to the shop. Please try again.' });
  }
  const date = Date.parse(response.headers.get('Date'));
  if (date)
    skewMs = date - Date.now();
  const answer = response.status === 204 ? null : await response.json().catch(() => ({}));
  if (response.ok)
    return answer;
  if (response.status === 401 && answer.code === 'unauthenticated')
    hooks.unauthenticated();
  throw new Problem(response.status, answer, Number(response.headers.get('Retry-After')));
}

export async function all(path) {
  const items = [];
  for (let cursor = ''; cursor !== null;) {
    const page = await call('GET', path + (cursor && `&cursor=${encodeURIComponent(cursor)}`));
    items.push(...page.items);
    cursor = page.next_cursor;
  }
  return items;
}

/* ---- Small things ---- */

/* An element; children are nodes or text (never markup); null and false are left out. */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name.startsWith('on'))
      node.addEventListener(name.slice(2), value);
    else if (value === true)
      node.setAttribute(name, '');
    else if (value !== null && value !== undefined && value !== false)
      node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return node;
}

export function money(amount, currency = shop.currency) {
  const digits = shop.currency_exponent;
  return new Intl.NumberFormat(undefined, {
    style: 'currency', currency, currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: digits, maximumFractionDigits: digits,
  }).format(amount / 10 ** digits);
}

export function when(text) {
  const time = new Date(text);
  const clock = time.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  if (time.toDateString() === new Date().toDateString())
    return `today ${clock}`;
  return `${time.toLocaleDateString([], { day: 'numeric', month: 'short' })} ${clock}`;
}

let toastTimer;

/* A word at the foot of the page for a few seconds; none takes it away. */
export function toast(text = '') {
  const node = document.getElementById('toast');
  node.textContent = text;
  node.hidden = !text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { node.hidden = true; }, 6000);
}

/* Runs an action of a button, which waits meanwhile; its problem is told. */
export function act(button, action) {
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      await action();
    } catch (error) {
      toast(error instanceof Problem ? error.words() : String(error));
    }
    button.disabled = false;
  });
  return button;
}

/* ---- Forms ---- */

/* fields: [name, label, attributes, hint]. submit gets the values that were filled in; a problem is
 * shown beside the field it names, else above the form. */
export function form(fields, button, submit) {
  const alert = h('p', { class: 'notice bad', role: 'alert', tabindex: -1, hidden: true });
  const main = h('button', { class: 'main', type: 'submit' }, button);
  const slots = {};
  const rows = fields.map(([name, label, attributes, hint]) => {
    const input = h('input', { id: `f-${name}`, name, ...attributes });
    slots[name] = h('p', { class: 'field-error', id: `e-${name}`, role: 'alert' });
    input.setAttribute('aria-describedby', `e-${name}`);
    return [h('label', { for: `f-${name}` }, label), input, hint && h('p', { class: 'quiet' }, hint),
      slots[name]];
  });
  const node = h('form', {}, alert, rows, main);

  node.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (main.disabled)
      return;
    alert.hidden = main.disabled = true;
    Object.values(slots).forEach((slot) => slot.replaceChildren());
    const filled = [...new FormData(node)].filter(([, value]) => value !== '');
    try {
      await submit(Object.fromEntries(filled));
    } catch (error) {
      if (!(error instanceof Problem))
        throw error;
      const here = error.rows.filter((row) => slots[row.field]);
      const left = error.body.attempts_left;
      here.forEach((row) => slots[row.field].append(`✕ ${row.detail}. `));
      if (here.length && left !== undefined)
        slots[here[0].field].append(`Tries left: ${left}.`);
      alert.textContent = error.words();
      alert.hidden = here.length > 0;
      (here.length ? node.elements[here[0].field] : alert).focus();
    } finally {
      main.disabled = false;
    }
  });
  return node;
}

export const PASSWORD = { type: 'password', required: true, minlength: 8, autocomplete: 'new-password' };
