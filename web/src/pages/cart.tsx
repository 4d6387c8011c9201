/* The cart: what was chosen, what it costs now, and what is in the way of ordering it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ShoppingBag } from 'lucide-preact';
import type { CartLine } from '../api';
import { money, plural } from '../format';
import { Button } from '../parts/button';
import { CartSaid } from '../parts/cart_bar';
import { CartRow } from '../parts/cart_line';
import { CheckoutLink } from '../parts/checkout_link';
import { Empty } from '../parts/empty';
import { keepFocus } from '../parts/focus';
import { Failed, Loading } from '../parts/load';
import { Notice } from '../parts/notice';
import { OpenPayment } from '../parts/open_payment';
import { Page } from '../parts/page';
import {
  account, cartError, clearCart, count, enter, hasProblem, isLoaded, lines, quantityOf, refusals, setQuantity, total,
} from '../state/cart';
import { foodById, loadMenu, menuError } from '../state/menu';
import { seenPrices, setSeenPrices } from '../state/seen_prices';
import { me } from '../state/session';
import { shop } from '../state/shop';
import { toast } from '../state/toast';

function put(back: CartLine[]) {
  for (const { food_id: id, name, quantity } of back)
    setQuantity({ id, name }, quantity);
}

function remove(line: CartLine) {
  setQuantity({ id: line.food_id, name: line.name }, 0);
  toast(`${line.name} is out of your cart.`, { action: { label: 'Undo', run: () => put([line]) } });
}

async function removeAll() {
  const all = lines.peek();
  await clearCart();
  keepFocus(null);
  toast('Your cart is empty.', { action: { label: 'Undo', run: () => put(all) } });
}

/* The prices as they were when the cart, or the dish on the menu, was last seen. */
function useSeen(): Record<string, number> {
  const [seen] = useState(seenPrices);
  const shown = lines.value;
  for (const { food_id: id, unit_price: price } of shown)
    seen[id] ??= price;
  useEffect(() => {
    const keep = () => setSeenPrices(lines.peek());
    addEventListener('pagehide', keep);
    return () => {
      keep();
      removeEventListener('pagehide', keep);
    };
  }, []);
  return seen;
}

function Lines() {
  const seen = useSeen();
  const list = useRef<HTMLUListElement>(null);
  const out = (line: CartLine) => {
    remove(line);
    list.current?.focus(); // the button that had it is gone
    keepFocus(list.current);
  };
  return (
    <>
      <ul class="cart-lines" ref={list} tabIndex={-1} aria-label={plural(lines.value.length, 'dish', 'dishes')}>
        {lines.value.map((line) => (
          <CartRow key={line.food_id} line={line} was={seen[line.food_id]} onRemove={out} />
        ))}
      </ul>
      <div class="cart-foot stack">
        <p class="total"><span>Total</span><span class="money">{money(total.value)}</span></p>
        <CheckoutLink problemsAt="here" />
        <div class="row between">
          <a class="button quiet" href="/">Add more dishes</a>
          <Button kind="quiet" onClick={removeAll}>Empty the cart</Button>
        </div>
      </div>
    </>
  );
}

function Content() {
  const error = cartError.value ?? menuError.value;
  if (isLoaded.value && shop.value)
    return count.value ? <Lines /> : (
      <Empty icon={ShoppingBag}>
        <p>Your cart is empty.</p>
        <a class="button main" href="/">Choose something</a>
      </Empty>
    );
  if (!error)
    return <Loading what="Looking into your cart …" />;
  return <Failed error={error} retry={() => (me.value ? enter() : loadMenu())} />;
}

/* What could not be put back into the cart, and so has no line to say it. */
function Lost() {
  const lost = [...refusals.value].filter(([id]) => !quantityOf(id));
  return (
    <>
      {lost.map(([id, words]) => (
        <Notice key={id} kind="bad" role="alert" class="lost">
          <strong dir="auto">{foodById.value.get(id)?.name ?? 'A dish'}</strong>: {words}
        </Notice>
      ))}
    </>
  );
}

export function CartPage() {
  const payment = account.value?.pending_payment;
  useEffect(() => {
    enter().catch((error) => { cartError.value = error; });
  }, []);
  useEffect(() => {
    void loadMenu(); // what is left of a dish, the menu says
  }, [hasProblem.value]);
  return (
    <Page title="Your cart" class="narrow">
      {payment && <OpenPayment key={payment.id} payment={payment} />}
      <Lost />
      <Content />
      <CartSaid />
    </Page>
  );
}
