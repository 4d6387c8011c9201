/* The cart beside the menu, on screens wide enough: it stays while the menu scrolls. */
import { CircleAlert, ShoppingBag } from 'lucide-preact';
import type { CartLine } from '../api';
import { money } from '../format';
import { problemWords } from '../line_words';
import { count, isLoaded, lines, total } from '../state/cart';
import { canOrder, foodById } from '../state/menu';
import { CheckoutLink } from './checkout_link';
import { Empty } from './empty';
import { Refusal, Stepper } from './stepper';

function SideLine({ line }: { line: CartLine }) {
  const food = foodById.value.get(line.food_id);
  return (
    <li class={line.problem ? 'side-line wrong' : 'side-line'}>
      <span class="side-name" dir="auto">{line.name}</span>
      {line.problem && (
        <p class="field-error"><CircleAlert size={16} aria-hidden="true" /> {problemWords(line)}</p>
      )}
      <Refusal id={line.food_id} silent />
      <Stepper food={{ id: line.food_id, name: line.name }} canAdd={Boolean(food && canOrder(food))} removes />
      <span class="money">{money(line.line_total)}</span>
    </li>
  );
}

export function CartSide() {
  return (
    <aside class="cart-side" aria-labelledby="cart-side-title">
      <h2 id="cart-side-title" tabIndex={-1}>Your cart</h2>
      {isLoaded.value && count.value === 0 && (
        <Empty icon={ShoppingBag}><p>Nothing in it yet. Tap Add on a dish.</p></Empty>
      )}
      {isLoaded.value && count.value > 0 && (
        <>
          <ul class="side-lines">{lines.value.map((line) => <SideLine key={line.food_id} line={line} />)}</ul>
          <div class="side-foot stack">
            <p class="total"><span>Total</span><span class="money">{money(total.value)}</span></p>
            <CheckoutLink problemsAt="cart" />
          </div>
        </>
      )}
    </aside>
  );
}
