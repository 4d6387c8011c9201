import { Page } from '../parts/page';

export function PaymentsPage() {
  return <Page title="Payments">{null}</Page>;
}
