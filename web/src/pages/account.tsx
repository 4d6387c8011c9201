import { Page } from '../parts/page';

export function AccountPage() {
  return <Page title="Your account" class="narrow">{null}</Page>;
}
