/* The way from the cart to paying, or why it is closed. Who has not logged in does it now. */
import { hasProblem } from '../state/cart';
import { loginAddress, me } from '../state/session';

export function CheckoutLink({ problemsAt }: { problemsAt: 'here' | 'cart' }) {
  if (!hasProblem.value)
    return (
      <a class="button main full" href={me.value === null ? loginAddress('/checkout') : '/checkout'}>
        Check out
      </a>
    );
  return (
    <>
      <p class="field-error" id="checkout-why">
        {problemsAt === 'here' ? 'Not everything here can be had: see the marked dishes.'
          : <>Not everything in your cart can be had. <a href="/cart">Look at your cart</a></>}
      </p>
      <button class="button main full" type="button" disabled aria-describedby="checkout-why">Check out</button>
    </>
  );
}
