import { Page } from '../parts/page';

export function AdminOrdersPage() {
  return <Page title="Orders">{null}</Page>;
}
