import { Page } from '../parts/page';

export function AdminOrderPage({ id }: { id: number }) {
  return <Page title="Order">{id}</Page>;
}
