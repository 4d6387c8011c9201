import { Page } from '../parts/page';

export function CustomersPage() {
  return <Page title="Customers">{null}</Page>;
}
