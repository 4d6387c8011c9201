import { Page } from '../parts/page';

export function MenuManagerPage() {
  return <Page title="Menu">{null}</Page>;
}
