import { Page } from '../parts/page';

export function PayPage({ id }: { id: number }) {
  return <Page title="Payment" class="narrow">{id}</Page>;
}
