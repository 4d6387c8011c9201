import { Page } from '../parts/page';

export function SalesPage() {
  return <Page title="Sales">{null}</Page>;
}
