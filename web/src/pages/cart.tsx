import { Page } from '../parts/page';

export function CartPage() {
  return <Page title="Your cart" class="narrow">{null}</Page>;
}
