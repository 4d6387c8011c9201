import { Page } from '../parts/page';

export function CheckoutPage() {
  return <Page title="Check out" class="narrow">{null}</Page>;
}
