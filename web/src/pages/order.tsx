import { Page } from '../parts/page';

export function OrderPage({ id }: { id: number }) {
  return <Page title="Order" class="narrow">{id}</Page>;
}
