/* The cart at the thumb, on screens that have no place for it beside the menu. */
import { plural, money } from '../format';
import { count, isLoaded, total } from '../state/cart';

/* What is read out when the cart changes. */
export function CartSaid() {
  const words = isLoaded.value && count.value ? `${plural(count.value, 'dish', 'dishes')} in your cart, ${money(total.value)}`
    : isLoaded.value ? 'Your cart is empty' : '';
  return <p class="visually-hidden" role="status">{words}</p>;
}

export function CartBar() {
  if (!count.value || !isLoaded.value)
    return null;
  return (
    <div class="cart-bar">
      <a class="button main" href="/cart">
        <span>{plural(count.value, 'dish', 'dishes')} · <span class="money">{money(total.value)}</span></span>
        <span class="view">View cart</span>
      </a>
    </div>
  );
}
