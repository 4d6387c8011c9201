import { Page } from '../parts/page';

export function MenuPage() {
  return <Page title="Menu" class="narrow">{null}</Page>;
}
