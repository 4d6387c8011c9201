import { Page } from '../parts/page';

export function OrdersPage() {
  return <Page title="Your orders" class="narrow">{null}</Page>;
}
